//! Plans for people, and as JSON.

use std::borrow::Cow;
use std::io;
use std::io::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::explain::{Failure, visible};
use crate::plan::{Line, Verb};

/// A plan as `--format json` prints it.
#[derive(Debug, Serialize)]
pub struct PlanReport<'a> {
    /// [`super::VERSION`]
    pub version: u32,
    /// `osmt-bootstrap 0.1.0`
    pub tool: &'a str,
    /// `nothing`, `pending` or `applied`.
    pub status: &'a str,
    /// The actions, in order.
    pub actions: &'a [Line],
}

/// A run that failed or was refused, as `--format json` prints it.
#[derive(Debug, Serialize)]
pub struct FailureReport<'a> {
    /// [`super::VERSION`]
    pub version: u32,
    /// `osmt-bootstrap 0.1.0`
    pub tool: &'a str,
    /// The exit's name: `refused`, `failed`, `usage`, `interrupted`.
    pub status: &'a str,
    /// The error with its causes and help.
    pub error: &'a Failure,
    /// The actions that were completed.
    pub done: Vec<&'a str>,
    /// The actions that were started, with an unknown result.
    pub unfinished: Vec<&'a str>,
}

/// Writes a plan for people: sign, thing, and the settings that change.
pub fn human(lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    let mut thing = "";
    for line in lines {
        let (name, from, to) = (visible(&line.thing), text(line.from.as_ref()), text(line.to.as_ref()));
        let (sign, colour) = match line.verb {
            Verb::Create => ('+', AnsiColor::Green),
            Verb::Update => ('~', AnsiColor::Yellow),
            Verb::Delete => ('-', AnsiColor::Red),
            Verb::Run => ('>', AnsiColor::Cyan),
            Verb::Keep => ('=', AnsiColor::BrightBlack),
            Verb::Attention => ('!', AnsiColor::Magenta),
        };
        let style = Style::new().fg_color(Some(colour.into()));
        match &line.setting {
            None => match to {
                None => writeln!(out, "  {style}{sign}{style:#} {name}")?,
                Some(to) => writeln!(out, "  {style}{sign}{style:#} {name}: {to}")?,
            },
            Some(setting) => {
                if line.thing != thing {
                    writeln!(out, "    {name}")?;
                }
                write!(out, "      {style}{sign}{style:#} {}", visible(setting))?;
                match (from, to) {
                    (Some(from), Some(to)) => writeln!(out, ": {from} → {to}")?,
                    (None, Some(to)) => writeln!(out, ": {to}")?,
                    (Some(from), None) => writeln!(out, ": {from} → none")?,
                    (None, None) => writeln!(out)?,
                }
            }
        }
        thing = &line.thing;
    }
    Ok(())
}

fn text(value: Option<&String>) -> Option<Cow<'_, str>> {
    value.map(|value| visible(value))
}

/// The number of things that a plan creates, changes and deletes, in words.
pub fn summary(lines: &[Line]) -> String {
    counted(lines, ["to create", "to change", "to delete", "to run"])
}

/// The result of a plan that was applied, in words. If it had one action, the thing is named.
pub fn outcome(lines: &[Line]) -> String {
    let one = match lines {
        [line] => Some(line),
        _ => None,
    };
    let named = one.and_then(|line| {
        let did = match line.verb {
            Verb::Create => "created",
            Verb::Update => "changed",
            Verb::Delete => "deleted",
            Verb::Run | Verb::Keep | Verb::Attention => return None,
        };
        Some(format!("{did} {}", visible(&line.thing)))
    });
    named.unwrap_or_else(|| counted(lines, ["created", "changed", "deleted", "run"]))
}

fn counted(lines: &[Line], [created, changed, deleted, run]: [&str; 4]) -> String {
    // Settings of a thing that is created are not counted separately.
    let count = |verb| {
        lines
            .iter()
            .filter(|line| line.verb == verb && (verb != Verb::Create || line.setting.is_none()))
            .count()
    };
    [
        (count(Verb::Create), created),
        (count(Verb::Update), changed),
        (count(Verb::Delete), deleted),
        (count(Verb::Run), run),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect::<Vec<_>>()
    .join(", ")
}

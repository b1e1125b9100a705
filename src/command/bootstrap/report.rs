//! A plan as JSON, also with the settings that need no change.

use serde::Serialize;

use crate::bootstrap::{Change, Judged};
use crate::command::Ui;
use crate::plan::{Line, Verb};

/// A plan and the unchanged settings, as `--format json` prints them.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    pub(super) version: u32,
    pub(super) tool: &'a str,
    pub(super) status: &'a str,
    pub(super) actions: Vec<Line>,
    pub(super) unchanged: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) attention: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) remarks: Vec<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(ui: &'a Ui, status: &'a str, judged: &[Judged<Change>]) -> Self {
        let of = |wanted: fn(Verb) -> bool| {
            let lines = judged.iter().map(|judged| &judged.line);
            lines.filter(|line| wanted(line.verb)).cloned().collect()
        };
        Self {
            version: crate::report::VERSION,
            tool: &ui.tool,
            status,
            actions: of(|verb| !matches!(verb, Verb::Keep | Verb::Attention)),
            unchanged: of(|verb| verb == Verb::Keep),
            attention: of(|verb| verb == Verb::Attention),
            remarks: Vec::new(),
        }
    }
}

/// The number of lines that need attention, as text; `None` if there are none.
pub(super) fn attention(judged: &[Judged<Change>]) -> Option<String> {
    let lines = judged.iter().map(|judged| judged.line.verb);
    match lines.filter(|verb| *verb == Verb::Attention).count() {
        0 => None,
        1 => Some("1 item needs your attention (marked `!`)".to_owned()),
        many => Some(format!("{many} items need your attention (marked `!`)")),
    }
}

pub(super) fn lines(judged: &[Judged<Change>]) -> Vec<Line> {
    judged.iter().map(|judged| judged.line.clone()).collect()
}

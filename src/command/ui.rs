//! Text, questions and progress: the only place that prints.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::terraform::Terraform;
use crate::aws::Outcome;
use crate::explain::{Exit, Failure, is_steering, visible};
use crate::files;
use crate::plan::Line;
use crate::report::plans::FailureReport;
use crate::report::{Format, WIDTH, plans};

/// How to talk to the person, from the shared flags.
pub struct Ui {
    /// The format of stdout.
    pub format: Format,
    /// When to use colour.
    pub color: ColorChoice,
    /// How much is printed on stderr, and whether anything is asked.
    pub flags: UiFlags,
    /// `osmt-doctor 0.1.0`
    pub tool: String,
    /// What was begun and whether it was finished, for the message of an interruption.
    work: Mutex<Vec<(String, bool)>>,
    /// Whether the cursor is behind a question.
    asking: AtomicBool,
    /// Whether stdout carries something.
    spoken: AtomicBool,
    /// What to do after an interruption, where that is not to run it again.
    resume: Mutex<Option<String>>,
    /// What turns while something is waited for.
    bars: MultiProgress,
    /// The program that messages for people name.
    terraform: Terraform,
}

/// The shared flags that decide what is printed on stderr and what is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct UiFlags {
    /// `-q`: how much less on stderr.
    pub quiet: u8,
    /// `-v`: how much more.
    pub verbose: u8,
    /// Skip the question.
    pub yes: bool,
    /// Show the plan and stop.
    pub dry_run: bool,
}

impl Ui {
    /// Prints in this format; nothing is printed before the first call.
    pub fn new(tool: String, format: Format, color: ColorChoice, flags: UiFlags) -> Self {
        let seen = flags.quiet == 0 && io::stderr().is_terminal();
        let target = if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            format,
            color,
            flags,
            tool,
            work: Mutex::default(),
            resume: Mutex::default(),
            asking: AtomicBool::default(),
            spoken: AtomicBool::default(),
            bars: MultiProgress::with_draw_target(target),
            terraform: Terraform::here(),
        }
    }

    /// Whether stdout carries text for people.
    pub fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// How wide text for people may be: the terminal's width, within what is easy to read.
    pub fn width(&self) -> usize {
        let terminal = if io::stdout().is_terminal() { terminal_size::terminal_size() } else { None };
        terminal.map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(40, 140))
    }

    /// Terraform or OpenTofu, whichever is used here.
    pub(super) fn terraform(&self) -> &Terraform {
        &self.terraform
    }

    /// Writes a report to stdout; for people, it names the Terraform that is used here. The documents for programs are the same
    /// on every machine.
    pub fn report(&self, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
        self.write(|out| {
            if !self.is_human() {
                return write(out);
            }
            let mut text = Vec::new();
            write(&mut text)?;
            out.write_all(self.terraform.spell(&String::from_utf8_lossy(&text)).as_bytes())
        })
    }

    /// Writes to stdout; a closed pipe ends quietly.
    pub fn write(&self, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
        self.spoken.store(true, Ordering::SeqCst);
        let mut text = Vec::new();
        let written = write(&mut text).and_then(|()| {
            let text = String::from_utf8_lossy(&text);
            let text = safe(&text, self.format);
            let mut out = AutoStream::new(io::stdout(), self.color);
            out.write_all(text.as_bytes())?;
            out.flush()
        });
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(Exit::Failed, format!("could not write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// A line of the result on stdout, in the human format only.
    pub fn result(&self, text: impl Display) -> Result<(), Failure> {
        if self.is_human() { self.report(|out| writeln!(out, "{text}")) } else { Ok(()) }
    }

    /// The one JSON document on stdout, in the JSON format only.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        if self.format == Format::Json {
            let text = serde_json::to_string_pretty(value)
                .map_err(|error| Failure::new(Exit::Failed, format!("could not write JSON: {error}")))?;
            self.write(|out| writeln!(out, "{text}"))
        } else {
            Ok(())
        }
    }

    /// A word on stderr; `-q` drops it.
    pub fn say(&self, text: impl Display) {
        if self.flags.quiet == 0 {
            self.stderr(format_args!("{text}"));
        }
    }

    /// A word on stderr that only `-v` wants.
    pub fn detail(&self, text: impl Display) {
        if self.flags.verbose > 0 {
            self.stderr(format_args!("{text}"));
        }
    }

    /// A warning on stderr; also with `-q`.
    pub fn warn(&self, text: impl Display) {
        let style = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
        self.stderr(format_args!("{style}warning{style:#}: {}", indented(&text.to_string())));
    }

    /// The end of a run that failed, with what it had done by then; in the JSON format also on stdout, unless a document was
    /// printed already.
    pub fn end(&self, failure: &Failure) {
        let failure = &self.with_record(failure);
        if !self.spoken.load(Ordering::SeqCst) {
            // Where stdout cannot be written, stderr and the exit remain.
            let _ = self.failure_document(failure);
        }
        self.failure(failure);
    }

    /// A failure with what was done before it: the one place that says so, from the run's own record.
    fn with_record(&self, failure: &Failure) -> Failure {
        let mut failure = failure.clone();
        match failure.exit {
            Exit::Interrupted => failure.message = format!("{}; {}", failure.message, self.already()),
            _ if self.has_begun() => failure.causes.push(self.already()),
            Exit::Refused => failure.message = format!("{}; {}", failure.message, self.already()),
            Exit::Done | Exit::Pending | Exit::Usage | Exit::Failed => {}
        }
        failure
    }

    /// The JSON document of a run that failed: the error, what was done before it and what was begun.
    pub fn failure_document(&self, failure: &Failure) -> Result<(), Failure> {
        let work = self.work();
        let of = |finished: bool| {
            let some = work.iter().filter(|(_, done)| *done == finished);
            some.map(|(what, _)| what.as_str()).collect()
        };
        self.json(&FailureReport {
            version: crate::report::VERSION,
            tool: &self.tool,
            status: failure.exit.name(),
            error: failure,
            done: of(true),
            unfinished: of(false),
        })
    }

    /// An error, its causes and its remedy, on stderr.
    pub fn failure(&self, failure: &Failure) {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let dim = Style::new().bold();
        let green = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
        self.stderr(format_args!("{red}error{red:#}: {}", indented(&failure.message)));
        for cause in &failure.causes {
            self.stderr(format_args!("{dim}caused by{dim:#}: {}", indented(cause)));
        }
        if let Some(help) = &failure.help {
            self.stderr(format_args!("{green}help{green:#}: {}", indented(help)));
        }
    }

    /// Shows a plan: on stdout for people, on stderr where stdout carries JSON.
    pub fn show_plan(&self, lines: &[Line]) -> Result<(), Failure> {
        let mut text = Vec::new();
        // Writing to memory cannot fail.
        let _ = plans::human(lines, &mut text);
        let text = format!("{}{}", String::from_utf8_lossy(&text), plans::summary(lines));
        let text = text.trim_end();
        if self.is_human() {
            self.report(|out| writeln!(out, "{text}"))
        } else {
            self.say(text);
            Ok(())
        }
    }

    /// Says what was done, once a plan was carried out: the plan above it is in the future tense.
    pub fn applied(&self, lines: &[Line]) -> Result<(), Failure> {
        self.result(format_args!("done: {}", plans::outcome(lines)))
    }

    /// As `applied`, where a second look found nothing left to do.
    pub fn verified(&self, lines: &[Line]) -> Result<(), Failure> {
        self.result(format_args!("done and verified: {}", plans::outcome(lines)))
    }

    /// Prints the plan's JSON document.
    pub fn plan_json(&self, status: &str, actions: &[Line]) -> Result<(), Failure> {
        self.json(&plans::PlanReport { version: crate::report::VERSION, tool: &self.tool, status, actions })
    }

    /// Asks before a write. `--yes` skips the question; without a terminal and without `--yes` it refuses.
    pub async fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.flags.yes {
            return Ok(());
        }
        if !self.can_ask() {
            return Err(Failure::new(Exit::Refused, "cannot ask for confirmation without a terminal")
                .help("look at the plan with `--dry-run`, then give `--yes`"));
        }
        let answer = self.ask(&format!("{question} [y/N] ")).await?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new(Exit::Refused, "not confirmed")),
        }
    }

    /// Replaces a file unless it changed since it was read (`before`); asks where it can only be written in place.
    pub async fn rewrite(&self, path: &Path, before: Option<&str>, content: &str) -> Result<(), Failure> {
        let before = before.map(str::as_bytes);
        match files::rewrite(path, before, content.as_bytes()) {
            Err(files::Error::MountPoint(path)) => {
                let shown = files::shown(&path);
                self.warn(format_args!(
                    "{shown} is a mount point: it cannot be replaced, only written in place"
                ));
                self.confirm(&format!("Write {shown} in place? A crash at that moment damages it.")).await?;
                Ok(files::write_in_place(&path, before, content.as_bytes())?)
            }
            written => Ok(written?),
        }
    }

    /// Whether a person can answer: stdin is a terminal.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Asks for a line of text on the terminal. Ctrl-C ends the wait.
    pub async fn ask(&self, prompt: &str) -> Result<String, Failure> {
        let _ = write!(AutoStream::new(io::stderr(), self.color), "{prompt}");
        let _ = io::stderr().flush();
        self.asking.store(true, Ordering::SeqCst);
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|_| line)
        })
        .await;
        // The answer ended with a line break.
        let answered = matches!(&line, Ok(Ok(line)) if line.ends_with('\n'));
        self.asking.store(!answered, Ordering::SeqCst);
        match line {
            Ok(Ok(line)) if line.is_empty() => {
                Err(Failure::new(Exit::Refused, "the input ended before the answer"))
            }
            Ok(Ok(line)) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
            _ => Err(Failure::new(Exit::Failed, "could not read the answer")),
        }
    }

    /// Draws progress around a piece of work: a spinner with the time on a terminal, elsewhere a word when it takes long,
    /// as where AWS is slow or throttles and the SDK tries again by itself.
    pub fn during<T>(&self, what: &str, work: impl Future<Output = T>) -> impl Future<Output = T> {
        // What is waited for is large: AWS's requests are.
        let mut work = Box::pin(work);
        async move {
            let bar = self.bar(what);
            let began = tokio::time::Instant::now();
            let mut pause = Duration::from_secs(10);
            loop {
                tokio::select! {
                    result = &mut work => {
                        bar.finish_and_clear();
                        return result;
                    }
                    () = tokio::time::sleep(pause) => {
                        if bar.is_hidden() {
                            self.say(format_args!("still waiting ({} s): {what}", began.elapsed().as_secs()));
                        }
                        pause *= 2;
                    }
                }
            }
        }
    }

    /// A spinner on stderr, below those that are shown already; hidden where stderr is not a terminal and with `-q`.
    pub fn bar(&self, what: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    /// Remembers that something is begun, for the message of an interruption or failure.
    pub fn begin(&self, what: impl Into<String>) {
        self.work().push((what.into(), false));
    }

    /// Remembers that something was done.
    pub fn done(&self, what: &str) {
        let mut work = self.work();
        match work.iter_mut().find(|(begun, done)| begun == what && !done) {
            Some((_, done)) => *done = true,
            None => work.push((what.to_owned(), true)),
        }
    }

    /// Says what to do after an interruption, where that is not to run it again.
    pub fn resume(&self, help: String) {
        *self.resume.lock().unwrap_or_else(PoisonError::into_inner) = Some(help);
    }

    /// What to do after an interruption, where that is not to run it again.
    pub fn resumption(&self) -> Option<String> {
        self.resume.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn work(&self) -> MutexGuard<'_, Vec<(String, bool)>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything was begun.
    pub fn has_begun(&self) -> bool {
        !self.work().is_empty()
    }

    /// What was already done and what was begun, in words: of what was begun it is not known how far it came.
    pub fn already(&self) -> String {
        let work = self.work();
        let parts = [(true, "already done"), (false, "not finished")].map(|(finished, word)| {
            let some = work.iter().filter(|(_, done)| *done == finished);
            let some: Vec<&str> = some.map(|(what, _)| what.as_str()).collect();
            (!some.is_empty()).then(|| format!("{word}: {}", some.join("; ")))
        });
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "nothing was written".to_owned() } else { parts.join("; ") }
    }

    fn stderr(&self, text: std::fmt::Arguments<'_>) {
        if self.asking.swap(false, Ordering::SeqCst) {
            let _ = writeln!(io::stderr());
        }
        self.bars.suspend(|| {
            // Where stderr cannot be written, that cannot be reported either.
            let text = text.to_string();
            let text = self.terraform.spell(&text);
            let text = safe(&text, Format::Human);
            let _ = writeln!(AutoStream::new(io::stderr(), self.color), "{text}");
        });
    }
}

/// What clap says of wrong arguments, on stderr.
pub(super) fn usage(color: ColorChoice, text: &str) {
    // Where stderr cannot be written, the exit remains.
    let _ = write!(AutoStream::new(io::stderr(), color), "{}", safe(text, Format::Human));
}

/// Lines after the first are indented, so that what a program or AWS said cannot look like a message of ours.
fn indented(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().split('\n').map(visible).collect();
    lines.join("\n    ")
}

/// A text without characters that steer a terminal, whatever it was made from. For people, colours stay: they are ours, and
/// what comes from a file or from AWS has lost its own in [`visible`]. In JSON, the escape of the character is the same string.
fn safe(text: &str, format: Format) -> Cow<'_, str> {
    let wanted = |char: char| matches!(char, '\n' | '\t') || !is_steering(char);
    if text.chars().all(wanted) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let length = char.len_utf8();
        let colour = if format == Format::Human { colour_length(rest) } else { 0 };
        match char {
            _ if colour > 0 => {
                out.push_str(&rest[..colour]);
                rest = &rest[colour..];
                continue;
            }
            _ if wanted(char) => out.push(char),
            _ if matches!(format, Format::Json | Format::Sarif) => {
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => out.push_str(&visible(&rest[..length])),
        }
        rest = &rest[length..];
    }
    Cow::Owned(out)
}

/// How long the colour sequence is (`ESC [ … m`, ECMA-48's SGR) that the text begins with; 0 where it begins with none.
fn colour_length(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else {
        return 0;
    };
    match parameters.find(|char: char| !char.is_ascii_digit() && char != ';') {
        Some(end) if parameters[end..].starts_with('m') => 2 + end + 1,
        _ => 0,
    }
}

/// `-vv`: one line for each AWS call; a throttled attempt is reported unless `-q` is given. Never a value.
pub(super) fn log_call(color: ColorChoice, verbose: bool, quiet: bool, call: &crate::aws::Call<'_>) {
    let crate::aws::Call { service, operation, took, outcome } = call;
    let (took, mut out) = (took.as_millis(), AutoStream::new(io::stderr(), color));
    let _ = match outcome {
        Outcome::Throttled if !quiet => writeln!(out, "AWS throttles {service}:{operation} ({took} ms)"),
        Outcome::Done if verbose => writeln!(out, "aws {service}:{operation} {took} ms ok"),
        Outcome::Failed if verbose => writeln!(out, "aws {service}:{operation} {took} ms failed"),
        Outcome::Throttled | Outcome::Done | Outcome::Failed => Ok(()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_colour_reaches_a_terminal_raw() {
        let red = "\u{1b}[31m";
        for (given, wanted) in [
            ("plain ü ✓\n\t", "plain ü ✓\n\t"),
            ("\u{1b}[1;31mred\u{1b}[0m", "\u{1b}[1;31mred\u{1b}[0m"),
            ("\u{1b}[2J", "␛[2J"),
            ("\u{1b}]0;title\u{7}", "␛]0;title␇"),
            ("a\rb\u{8}\u{7f}\u{9b}31m", "a␍b␈␡<U+009B>31m"),
            ("\u{202e}txt.exe", "<U+202E>txt.exe"),
            ("\u{1b}[", "␛["),
        ] {
            assert_eq!(safe(given, Format::Human), wanted);
        }
        assert_eq!(safe(red, Format::Github), "␛[31m");
        assert_eq!(safe("\"\u{9b}\u{7f}\u{202e}\"", Format::Json), "\"\\u009b\\u007f\\u202e\"");
    }

    #[test]
    fn the_words_of_others_cannot_look_like_ours() {
        assert_eq!(indented("fatal: a\nerror: \u{1b}[1mforged\n"), "fatal: a\n    error: ␛[1mforged");
    }
}

//! Output, questions and progress: the only place that prints.

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
use crate::explain::{Exit, Failure, is_control, visible};
use crate::files;
use crate::plan::Line;
use crate::report::plans::FailureReport;
use crate::report::{Format, WIDTH, plans};

/// The user interface, configured by the shared flags.
pub struct Ui {
    /// The format of stdout.
    pub format: Format,
    /// When to use colour.
    pub color: ColorChoice,
    /// How much to print to stderr, and whether to ask.
    pub flags: UiFlags,
    /// `osmt-doctor 0.1.0`
    pub tool: String,
    /// The actions that were started, and whether each was completed, for the message about an interruption.
    work: Mutex<Vec<(String, bool)>>,
    /// Whether the cursor is on the line of a question.
    asking: AtomicBool,
    /// Whether anything was written to stdout.
    has_written: AtomicBool,
    /// The help after an interruption, if it is not to run the command again.
    interruption_help: Mutex<Option<String>>,
    /// The progress spinners.
    bars: MultiProgress,
    /// The Terraform program, for messages.
    terraform: Terraform,
}

/// The shared flags that decide what is printed on stderr and what is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct UiFlags {
    /// The number of `-q`: print less to stderr.
    pub quiet: u8,
    /// The number of `-v`: print more to stderr.
    pub verbose: u8,
    /// `--yes`: do not ask.
    pub yes: bool,
    /// `--dry-run`: show the plan and stop.
    pub dry_run: bool,
}

impl Ui {
    /// A user interface that prints in this format.
    pub fn new(tool: String, format: Format, color: ColorChoice, flags: UiFlags) -> Self {
        let draws_progress = flags.quiet == 0 && io::stderr().is_terminal();
        let target = if draws_progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            format,
            color,
            flags,
            tool,
            work: Mutex::default(),
            interruption_help: Mutex::default(),
            asking: AtomicBool::default(),
            has_written: AtomicBool::default(),
            bars: MultiProgress::with_draw_target(target),
            terraform: Terraform::here(),
        }
    }

    /// Whether stdout is text for people.
    pub fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// The width of text for people: the terminal's width, limited to what is easy to read.
    pub fn width(&self) -> usize {
        let terminal = if io::stdout().is_terminal() { terminal_size::terminal_size() } else { None };
        terminal.map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(40, 140))
    }

    /// The Terraform or OpenTofu program.
    pub(super) fn terraform(&self) -> &Terraform {
        &self.terraform
    }

    /// Writes a report to stdout. In text for people, Terraform commands name the program that is used; formats for programs are the
    /// same on every machine.
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

    /// Writes to stdout; a closed pipe is not an error.
    pub fn write(&self, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
        self.has_written.store(true, Ordering::SeqCst);
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

    /// Prints a line to stdout, in the human format only.
    pub fn result(&self, text: impl Display) -> Result<(), Failure> {
        if self.is_human() { self.report(|out| writeln!(out, "{text}")) } else { Ok(()) }
    }

    /// Prints the JSON document to stdout, in the JSON format only.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        if self.format == Format::Json {
            let text = pretty_json(value)?;
            self.write(|out| writeln!(out, "{text}"))
        } else {
            Ok(())
        }
    }

    /// Prints a message to stderr, except with `-q`.
    pub fn say(&self, text: impl Display) {
        if self.flags.quiet == 0 {
            self.stderr(format_args!("{text}"));
        }
    }

    /// Prints a message to stderr, only with `-v`.
    pub fn detail(&self, text: impl Display) {
        if self.flags.verbose > 0 {
            self.stderr(format_args!("{text}"));
        }
    }

    /// Prints a warning to stderr, also with `-q`.
    pub fn warn(&self, text: impl Display) {
        let style = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
        self.stderr(format_args!("{style}warning{style:#}: {}", indented(&text.to_string())));
    }

    /// Prints the failure of a run with its completed actions to stderr, and in the JSON format also to stdout, unless a document was
    /// printed before.
    pub fn end(&self, failure: &Failure) {
        let failure = &self.with_record(failure);
        if !self.has_written.load(Ordering::SeqCst) {
            // If stdout cannot be written, the failure is still on stderr.
            let _ = self.failure_document(failure);
        }
        self.failure(failure);
    }

    /// Adds the recorded actions to a failure.
    fn with_record(&self, failure: &Failure) -> Failure {
        let mut failure = failure.clone();
        match failure.exit {
            Exit::Interrupted => failure.message = format!("{}; {}", failure.message, self.progress_text()),
            _ if self.has_begun() => failure.causes.push(self.progress_text()),
            Exit::Refused => failure.message = format!("{}; {}", failure.message, self.progress_text()),
            Exit::Done | Exit::Pending | Exit::Usage | Exit::Failed => {}
        }
        failure
    }

    /// Prints the JSON document of a failed run: the error, and the completed and unfinished actions.
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

    /// Prints an error with its causes and help to stderr.
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

    /// Prints a plan: to stdout for people, to stderr if stdout is JSON.
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

    /// Prints the result of an applied plan.
    pub fn applied(&self, lines: &[Line]) -> Result<(), Failure> {
        self.result(format_args!("done: {}", plans::outcome(lines)))
    }

    /// Prints the result of an applied plan that was verified by reading again.
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
                .help("check the plan with `--dry-run`, then give `--yes`"));
        }
        let answer = self.ask(&format!("{question} [y/N] ")).await?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new(Exit::Refused, "not confirmed")),
        }
    }

    /// Replaces a file, unless it changed since it was read (`before`). It asks before a file is written in place.
    pub async fn rewrite(&self, path: &Path, before: Option<&str>, content: &str) -> Result<(), Failure> {
        let before = before.map(str::as_bytes);
        match files::rewrite(path, before, content.as_bytes()) {
            Err(files::Error::MountPoint(path)) => {
                let shown = files::shown(&path);
                self.warn(format_args!(
                    "{shown} is a mount point: it cannot be replaced atomically, only written in place"
                ));
                self.confirm(&format!("Write {shown} in place? A crash during the write would damage it."))
                    .await?;
                Ok(files::write_in_place(&path, before, content.as_bytes())?)
            }
            written => Ok(written?),
        }
    }

    /// Whether questions can be asked: stdin is a terminal.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Asks for a line of text.
    pub async fn ask(&self, prompt: &str) -> Result<String, Failure> {
        let _ = write!(AutoStream::new(io::stderr(), self.color), "{prompt}");
        let _ = io::stderr().flush();
        self.asking.store(true, Ordering::SeqCst);
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|_| line)
        })
        .await;
        // If the answer ended with a line break, the cursor is on a new line.
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

    /// Shows progress during a piece of work: a spinner on a terminal, otherwise a message if it takes long, for example because AWS
    /// throttles and the SDK retries.
    pub fn during<T>(&self, what: &str, work: impl Future<Output = T>) -> impl Future<Output = T> {
        // Boxed, because the futures of AWS requests are large.
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

    /// Adds a spinner on stderr; hidden with `-q`, and if stderr is not a terminal.
    pub fn bar(&self, what: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    /// Records that an action starts, for the message about an interruption or failure.
    pub fn begin(&self, what: impl Into<String>) {
        self.work().push((what.into(), false));
    }

    /// Records that an action is completed.
    pub fn done(&self, what: &str) {
        let mut work = self.work();
        match work.iter_mut().find(|(begun, done)| begun == what && !done) {
            Some((_, done)) => *done = true,
            None => work.push((what.to_owned(), true)),
        }
    }

    /// Sets the help after an interruption, if it is not to run the command again.
    pub fn set_interruption_help(&self, help: String) {
        *self.interruption_help.lock().unwrap_or_else(PoisonError::into_inner) = Some(help);
    }

    /// The help after an interruption, if it is not to run the command again.
    pub fn interruption_help(&self) -> Option<String> {
        self.interruption_help.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn work(&self) -> MutexGuard<'_, Vec<(String, bool)>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an action was started.
    pub fn has_begun(&self) -> bool {
        !self.work().is_empty()
    }

    /// The completed and the unfinished actions, as text.
    pub fn progress_text(&self) -> String {
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
            // An error of stderr cannot be reported.
            let text = text.to_string();
            let text = self.terraform.spell(&text);
            let text = safe(&text, Format::Human);
            let _ = writeln!(AutoStream::new(io::stderr(), self.color), "{text}");
        });
    }
}

/// A value as indented JSON.
pub(crate) fn pretty_json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Exit::Failed, format!("could not write JSON: {error}")))
}

/// Prints clap's message about wrong arguments to stderr.
pub(super) fn usage(color: ColorChoice, text: &str) {
    // An error of stderr cannot be reported.
    let _ = write!(AutoStream::new(io::stderr(), color), "{}", safe(text, Format::Human));
}

/// Indents all lines after the first, so that the text of a program or of AWS cannot look like our own message.
fn indented(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().split('\n').map(visible).collect();
    lines.join("\n    ")
}

/// Removes control characters from a text. Colours are kept for people: only our own are left, because [`visible`] removes those of
/// files and of AWS. In JSON the character is escaped, which is the same string.
fn safe(text: &str, format: Format) -> Cow<'_, str> {
    let wanted = |char: char| matches!(char, '\n' | '\t') || !is_control(char);
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

/// The length of the colour sequence (`ESC [ … m`, SGR in ECMA-48) at the start of the text; 0 if there is none.
fn colour_length(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else {
        return 0;
    };
    match parameters.find(|char: char| !char.is_ascii_digit() && char != ';') {
        Some(end) if parameters[end..].starts_with('m') => 2 + end + 1,
        _ => 0,
    }
}

/// Prints one line for each AWS call with `-vv`, and one for each throttled call except with `-q`.
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
    fn only_colour_sequences_are_kept() {
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
    fn a_foreign_text_cannot_look_like_our_message() {
        assert_eq!(indented("fatal: a\nerror: \u{1b}[1mforged\n"), "fatal: a\n    error: ␛[1mforged");
    }
}

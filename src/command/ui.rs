//! Text, questions and progress: the only place that prints.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::io;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::explain::{Exit, Failure};
use crate::plan::Line;
use crate::report::plans::FailureReport;
use crate::report::{Format, plans};

/// How to talk to the person, from the shared flags.
pub struct Ui {
    /// What stdout carries.
    pub format: Format,
    /// When to colour.
    pub color: ColorChoice,
    /// `-q`: how much less on stderr.
    pub quiet: u8,
    /// `-v`: how much more.
    pub verbose: u8,
    /// Skip the question.
    pub yes: bool,
    /// Show the plan and stop.
    pub dry_run: bool,
    /// `osmt-doctor 0.1.0`
    pub tool: String,
    /// What was begun and whether it was finished, for the message of an interruption.
    work: RefCell<Vec<(String, bool)>>,
    /// Whether the cursor stands behind a question.
    asking: Cell<bool>,
    /// Whether stdout carries something.
    spoken: Cell<bool>,
    /// What turns while something is waited for.
    bars: MultiProgress,
}

impl Ui {
    /// A voice with the given manners.
    pub fn new(
        tool: String,
        format: Format,
        color: ColorChoice,
        (quiet, verbose): (u8, u8),
        (yes, dry_run): (bool, bool),
    ) -> Self {
        let seen = quiet == 0 && io::stderr().is_terminal();
        let target = if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            format,
            color,
            quiet,
            verbose,
            yes,
            dry_run,
            tool,
            work: RefCell::default(),
            asking: Cell::default(),
            spoken: Cell::default(),
            bars: MultiProgress::with_draw_target(target),
        }
    }

    /// Whether stdout carries text for people.
    pub fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// Writes to stdout; a closed pipe ends quietly.
    pub fn write(&self, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
        self.spoken.set(true);
        let mut out = io::BufWriter::new(AutoStream::new(io::stdout(), self.color));
        match write(&mut out).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(Exit::Failed, format!("could not write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// A line of the result on stdout, in the human format only.
    pub fn result(&self, text: impl Display) -> Result<(), Failure> {
        if self.is_human() { self.write(|out| writeln!(out, "{text}")) } else { Ok(()) }
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
        if self.quiet == 0 {
            self.stderr(format_args!("{text}"));
        }
    }

    /// A word on stderr that only `-v` wants.
    pub fn detail(&self, text: impl Display) {
        if self.verbose > 0 {
            self.stderr(format_args!("{text}"));
        }
    }

    /// A warning on stderr; also with `-q`.
    pub fn warn(&self, text: impl Display) {
        let style = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
        self.stderr(format_args!("{style}warning{style:#}: {text}"));
    }

    /// The end of a run that failed; in the JSON format also on stdout, unless something stands there already.
    pub fn end(&self, failure: &Failure) {
        if !self.spoken.get() {
            let work = self.work.borrow();
            let of = |finished: bool| {
                let some = work.iter().filter(|(_, done)| *done == finished);
                some.map(|(what, _)| what.as_str()).collect()
            };
            // Nobody can be told where stdout is gone.
            let _ = self.json(&FailureReport {
                version: crate::report::VERSION,
                tool: &self.tool,
                status: failure.exit.name(),
                error: failure,
                done: of(true),
                unfinished: of(false),
            });
        }
        self.failure(failure);
    }

    /// An error, its causes and its remedy, on stderr.
    pub fn failure(&self, failure: &Failure) {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let dim = Style::new().bold();
        let green = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
        self.stderr(format_args!("{red}error{red:#}: {}", failure.message));
        for cause in &failure.causes {
            self.stderr(format_args!("{dim}caused by{dim:#}: {cause}"));
        }
        if let Some(help) = &failure.help {
            self.stderr(format_args!("{green}help{green:#}: {help}"));
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
            self.write(|out| writeln!(out, "{text}"))
        } else {
            self.say(text);
            Ok(())
        }
    }

    /// Prints the plan's JSON document.
    pub fn plan_json(&self, status: &str, actions: &[Line]) -> Result<(), Failure> {
        self.json(&plans::PlanReport { version: crate::report::VERSION, tool: &self.tool, status, actions })
    }

    /// Asks before a write. `--yes` skips the question; without a terminal and without `--yes` it refuses.
    pub async fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !self.can_ask() {
            return Err(Failure::new(Exit::Refused, "nobody is there to answer; nothing was written")
                .help("look at the plan with `--dry-run`, then give `--yes`"));
        }
        let answer = self.ask(&format!("{question} [y/N] ")).await?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new(Exit::Refused, "not confirmed; nothing was written")),
        }
    }

    /// Whether somebody is there to answer.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Asks for a line of text on the terminal. Ctrl-C is heard meanwhile.
    pub async fn ask(&self, prompt: &str) -> Result<String, Failure> {
        let _ = write!(AutoStream::new(io::stderr(), self.color), "{prompt}");
        let _ = io::stderr().flush();
        self.asking.set(true);
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|_| line)
        })
        .await;
        // Whoever answered went to the next line himself.
        let answered = matches!(&line, Ok(Ok(line)) if line.ends_with('\n'));
        self.asking.set(!answered);
        match line {
            Ok(Ok(line)) if line.is_empty() => Err(Failure::new(
                Exit::Refused,
                format!("the input ended before the answer; {}", self.already()),
            )),
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
            let mut pause = Duration::from_secs(10);
            loop {
                tokio::select! {
                    result = &mut work => {
                        bar.finish_and_clear();
                        return result;
                    }
                    () = tokio::time::sleep(pause) => {
                        if bar.is_hidden() {
                            self.say(format_args!("still at it: {what}"));
                        }
                        pause *= 2;
                    }
                }
            }
        }
    }

    /// A spinner on stderr, below those that turn already; hidden where stderr is no terminal and with `-q`.
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
        self.work.borrow_mut().push((what.into(), false));
    }

    /// Remembers that something was done.
    pub fn done(&self, what: &str) {
        let mut work = self.work.borrow_mut();
        match work.iter_mut().find(|(begun, done)| begun == what && !done) {
            Some((_, done)) => *done = true,
            None => work.push((what.to_owned(), true)),
        }
    }

    /// Whether anything was begun.
    pub fn has_begun(&self) -> bool {
        !self.work.borrow().is_empty()
    }

    /// What was already done and what was begun, in words: of what was begun nobody knows how far it came.
    pub fn already(&self) -> String {
        let work = self.work.borrow();
        let told = [(true, "already done"), (false, "not finished")].map(|(finished, word)| {
            let some = work.iter().filter(|(_, done)| *done == finished);
            let some: Vec<&str> = some.map(|(what, _)| what.as_str()).collect();
            (!some.is_empty()).then(|| format!("{word}: {}", some.join("; ")))
        });
        let told: Vec<String> = told.into_iter().flatten().collect();
        if told.is_empty() { "nothing was written".to_owned() } else { told.join("; ") }
    }

    fn stderr(&self, text: std::fmt::Arguments<'_>) {
        if self.asking.take() {
            let _ = writeln!(io::stderr());
        }
        self.bars.suspend(|| {
            // Nothing can be said about a stderr that cannot be written.
            let _ = writeln!(AutoStream::new(io::stderr(), self.color), "{text}");
        });
    }
}

/// `-vv`: one line an AWS call; never a value.
pub(super) fn log_call(color: ColorChoice, call: &crate::aws::Call<'_>) {
    let outcome = if call.ok { "ok" } else { "failed" };
    let _ = writeln!(
        AutoStream::new(io::stderr(), color),
        "aws {}:{} {} ms {outcome}",
        call.service,
        call.operation,
        call.took.as_millis()
    );
}

//! The command line: the only module that prints, asks, and reads the environment and the clock.
//!
//! Each binary is a folder with one file for each verb: an `Args` struct with `fn run(self, cx: &Context) -> Result<Exit, Failure>`.

pub mod bootstrap;
pub mod doctor;
mod environment;
mod help;
mod manual;
pub mod release;
pub mod secrets;
mod shared_args;
mod signals;
mod terraform;
mod tool;
mod ui;

use std::ffi::OsString;
use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use crate::explain::{Exit, Failure, visible};
use crate::plan::{Action, Plan, Stopped};
use crate::report::Format;
pub use manual::Shared;
pub use shared_args::{FormatFlag, SharedArgs};
pub use tool::{Context, Tool};
pub(crate) use ui::pretty_json;
pub use ui::{Ui, UiFlags};

/// Runs a binary: parse the arguments, run the verb, print a failure, exit.
pub fn main<T: Tool>() -> ExitCode {
    let name = name_and_version::<T>();
    exit_at_a_panic(&name);
    environment::without_empty_variables();
    signals::watch();
    let tool = match parse::<T>() {
        Ok(tool) => tool,
        Err(exit) => return ExitCode::from(exit.code()),
    };
    let shared = tool.shared().clone();
    let cx = Context { ui: Arc::new(shared.ui(name)), shared };
    signals::report_to(&cx.ui);
    let result = match cx.shared.format {
        FormatFlag::Sarif
        | FormatFlag::Github
        | FormatFlag::Gitlab
        | FormatFlag::Junit
        | FormatFlag::Markdown
            if !tool.reports_findings() =>
        {
            let message = "this verb prints `human` or `json`; `sarif`, `github`, `gitlab`, `junit` and `markdown` are for findings";
            Err(Failure::new(Exit::Usage, message))
        }
        _ => tool.run(&cx),
    };
    let exit = result.unwrap_or_else(|failure| {
        let failure = match failure.exit {
            Exit::Interrupted if crate::child::is_stopping() => signals::interruption(&cx.ui),
            _ => failure,
        };
        cx.ui.end(&failure);
        failure.exit
    });
    signals::wait_for_children();
    ExitCode::from(exit.code())
}

/// Makes a panic, also one in a thread, print its message and end the process with exit 101.
///
/// Releases are compiled with `panic = "abort"`; an abort would leave a core file, in which secrets can be.
fn exit_at_a_panic(tool: &str) {
    let print = std::panic::take_hook();
    let message = format!(
        "error: {tool} stopped because of a defect in the program\n\
         help: report it where you got the program, with the lines above and the command, but without secrets; it may have done \
         a part of its work: look with `status`, `plan` or `--dry-run` before you run it again"
    );
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        let _ = writeln!(std::io::stderr(), "{message}");
        #[expect(
            clippy::disallowed_methods,
            clippy::exit,
            reason = "an abort could write the memory to a file"
        )]
        std::process::exit(101);
    }));
}

/// `osmt-doctor 0.1.0`
fn name_and_version<T: Tool>() -> String {
    format!("{} {}", T::command().get_name(), env!("CARGO_PKG_VERSION"))
}

/// Parses the arguments. Help, version and usage errors are printed here: colour, escaping and JSON are the same as everywhere.
fn parse<T: Tool>() -> Result<T, Exit> {
    let given = || std::env::args_os().skip(1);
    let color = match value_of("--color", given()).as_deref() {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    };
    let parsed =
        help::command::<T>().color(color).try_get_matches().and_then(|found| T::from_arg_matches(&found));
    let error = match parsed {
        Ok(tool) => return Ok(tool),
        Err(error) => error,
    };
    let color = match color {
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
    };
    if T::HIDES_ARGUMENTS
        && error.exit_code() != 0
        && let Some(failure) = without_arguments(&error)
    {
        let is_json = value_of("--format", given()).as_deref() == Some("json");
        let format = if is_json { Format::Json } else { Format::Human };
        Ui::new(name_and_version::<T>(), format, color, UiFlags::default()).end(&failure);
        return Err(Exit::Usage);
    }
    let error = with_visible_controls(error);
    if error.exit_code() == 0 {
        // Help and version.
        let ui = Ui::new(T::command().get_name().to_owned(), Format::Human, color, UiFlags::default());
        return match ui.write(|out| write!(out, "{}", error.render().ansi())) {
            Err(failure) => {
                ui.failure(&failure);
                Err(failure.exit)
            }
            Ok(()) => Err(Exit::Done),
        };
    }
    ui::usage(color, &error.render().ansi().to_string());
    if value_of("--format", given()).as_deref() == Some("json") {
        let text = error.render().to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let message = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let failure = Failure::new(Exit::Usage, visible(&message)).help("`--help` shows the usage");
        let ui =
            Ui::new(name_and_version::<T>(), Format::Json, anstream::ColorChoice::Never, UiFlags::default());
        // The usage error is already on stderr; an error of stdout changes nothing.
        let _ = ui.failure_document(&failure);
    }
    Err(Exit::Usage)
}

/// Replaces control characters in the arguments that the error repeats.
fn with_visible_controls(mut error: clap::Error) -> clap::Error {
    use clap::error::ContextValue;

    let shown = |text: &String| visible(text).into_owned();
    let given: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in given {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(shown(&text)),
            ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(shown).collect()),
            // Styles and numbers, which do not come from the arguments.
            other => other,
        };
        error.insert(kind, value);
    }
    error
}

/// The value of a flag in arguments that are not parsed yet: `--color never`, `--color=never`.
fn value_of(flag: &str, arguments: impl Iterator<Item = OsString>) -> Option<String> {
    let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    let mut found = None;
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix(flag) {
            _ if argument == "--" => break,
            Some("") => found = arguments.next(),
            Some(rest) => found = rest.strip_prefix('=').map(str::to_owned).or(found),
            None => {}
        }
    }
    found
}

/// Whether an argument looks like a misspelt flag: `--` and a few words in lower case. It is then safe to show.
fn is_like_a_flag(argument: &str) -> bool {
    argument.strip_prefix("--").is_some_and(|words| {
        words.len() <= 20 && words.chars().all(|char| char.is_ascii_lowercase() || char == '-')
    })
}

/// A usage error that shows no arguments except our own flags, because an argument may be a secret's value; `None` if clap's text
/// shows none either.
fn without_arguments(error: &clap::Error) -> Option<Failure> {
    use clap::error::{ContextKind, ContextValue, ErrorKind};

    let what = match error.kind() {
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::ArgumentConflict
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => return None,
        ErrorKind::InvalidSubcommand => "unknown verb",
        ErrorKind::UnknownArgument | ErrorKind::TooManyValues => "there are too many arguments",
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::InvalidUtf8 => {
            "the value of an argument is not valid"
        }
        _ => "the arguments are not valid",
    };
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let help = match (error.kind(), of(ContextKind::InvalidArg), of(ContextKind::SuggestedArg)) {
        // Here `InvalidArg` is one of our flags; for an unknown argument it is what the user typed.
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(flag), _) => {
            let valid = of(ContextKind::ValidValue).map(|valid| format!(": {valid}"));
            format!("{flag}{}", valid.unwrap_or_default())
        }
        (_, _, Some(near)) => format!("did you mean {near}?"),
        _ => "`--help` shows the usage".to_owned(),
    };
    let flag = of(ContextKind::InvalidArg).filter(|given| is_like_a_flag(given));
    let message = match (error.kind(), flag) {
        (ErrorKind::UnknownArgument, Some(flag)) => format!("unknown flag {flag}"),
        _ => format!("{what}; it is not shown, because it may be a secret's value"),
    };
    Some(Failure::new(Exit::Usage, message).help(help))
}

/// Runs a future; Ctrl-C, SIGTERM and SIGHUP stop it with a message about what is done.
pub fn block_on<T>(ui: &Ui, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, format!("could not start: {error}")))?;
    let result = runtime.block_on(async {
        tokio::select! {
            // The signal has priority over the result.
            biased;
            () = signals::stopped() => Err(signals::interruption(ui)),
            result = work => result,
        }
    });
    // A thread may still wait for the answer to a question.
    runtime.shutdown_background();
    result
}

/// Shows a plan and asks. An exit ends the run: the plan is empty, or `--dry-run` was given.
pub(crate) async fn show_and_confirm<A: Action>(
    ui: &Ui,
    plan: &Plan<A>,
    question: &str,
) -> Result<Option<Exit>, Failure> {
    let exit = show(ui, plan)?;
    if exit.is_none() {
        ui.confirm(question).await?;
    }
    Ok(exit)
}

/// Shows a plan. An exit ends the run: the plan is empty, or `--dry-run` was given.
fn show<A: Action>(ui: &Ui, plan: &Plan<A>) -> Result<Option<Exit>, Failure> {
    let lines = plan.lines();
    if plan.is_empty() {
        ui.result("nothing to do")?;
        ui.plan_json("nothing", &lines)?;
        return Ok(Some(Exit::Done));
    }
    ui.show_plan(&lines)?;
    if ui.flags.dry_run {
        ui.plan_json("pending", &lines)?;
        return Ok(Some(Exit::Pending));
    }
    Ok(None)
}

/// Shows a plan, asks for confirmation, applies it.
///
/// Returns [`Exit::Done`] if the plan is empty or was applied, and [`Exit::Pending`] for `--dry-run`.
pub async fn carry_out<A: Action, E: Into<Failure>>(
    ui: &Ui,
    plan: &Plan<A>,
    question: &str,
    apply: impl AsyncFn(&A) -> Result<(), E>,
) -> Result<Exit, Failure> {
    if let Some(exit) = show_and_confirm(ui, plan, question).await? {
        return Ok(exit);
    }
    apply_plan(ui, plan, apply).await
}

/// Shows a plan and applies it without a question, if nothing of the user is overwritten or deleted.
pub async fn carry_out_unasked<A: Action, E: Into<Failure>>(
    ui: &Ui,
    plan: &Plan<A>,
    apply: impl AsyncFn(&A) -> Result<(), E>,
) -> Result<Exit, Failure> {
    if let Some(exit) = show(ui, plan)? {
        return Ok(exit);
    }
    apply_plan(ui, plan, apply).await
}

/// Applies a plan that was shown, and prints the result.
async fn apply_plan<A: Action, E: Into<Failure>>(
    ui: &Ui,
    plan: &Plan<A>,
    apply: impl AsyncFn(&A) -> Result<(), E>,
) -> Result<Exit, Failure> {
    execute(ui, plan, apply).await?;
    ui.applied(&plan.lines())?;
    ui.plan_json("applied", &plan.lines())?;
    Ok(Exit::Done)
}

/// Runs the actions of a plan, independent ones at the same time, and records the progress for a message about an interruption.
async fn execute<A: Action, E: Into<Failure>>(
    ui: &Ui,
    plan: &Plan<A>,
    apply: impl AsyncFn(&A) -> Result<(), E>,
) -> Result<(), Failure> {
    let executed = plan.execute(async |action| {
        let what = describe(&action.line());
        ui.begin(what.clone());
        ui.during(&what, apply(action)).await?;
        ui.detail(format_args!("done: {what}"));
        ui.done(&what);
        Ok::<_, E>(())
    });
    executed.await.map_err(|stopped| stopped_failure(stopped))
}

/// The failure of a plan that stopped: the errors and how many actions were completed.
fn stopped_failure<E: Into<Failure>>(stopped: Stopped<E>) -> Failure {
    let mut failure: Failure = stopped.error.into();
    for other in stopped.others {
        let other: Failure = other.into();
        failure.causes.push(format!("also: {}", other.message));
    }
    failure.causes.push(format!("stopped after {} of {} actions", stopped.done, stopped.of));
    failure.help.get_or_insert_with(|| {
        "fix the error above, then run this again: completed actions are not repeated".to_owned()
    });
    failure
}

fn describe(line: &crate::plan::Line) -> String {
    match &line.setting {
        Some(setting) => format!("{}: {setting}", line.thing),
        None => line.thing.clone(),
    }
}

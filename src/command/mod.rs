//! The only room that talks to people: flags in, text and exit out.
//!
//! Also the only one with a clock, an environment and a runtime. Each binary is one file here.

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
pub use ui::{Ui, UiFlags};

/// The whole life of a binary.
pub fn main<T: Tool>() -> ExitCode {
    exit_at_a_panic(&format!("{} {}", T::command().get_name(), env!("CARGO_PKG_VERSION")));
    environment::without_empty_variables();
    signals::watch();
    let tool = match parse::<T>() {
        Ok(tool) => tool,
        Err(exit) => return ExitCode::from(exit.code()),
    };
    let shared = tool.shared().clone();
    let name = format!("{} {}", T::command().get_name(), env!("CARGO_PKG_VERSION"));
    let cx = Context { ui: Arc::new(shared.ui(name)), shared };
    signals::speak_through(&cx.ui);
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
    signals::settle();
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

/// Reads the arguments. What clap prints by itself (help, version, errors) is printed here, by the same rules as all else.
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
        let tool = format!("{} {}", T::command().get_name(), env!("CARGO_PKG_VERSION"));
        Ui::new(tool, format, color, UiFlags::default()).end(&failure);
        return Err(Exit::Usage);
    }
    let error = harmless(error);
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
        let tool = format!("{} {}", T::command().get_name(), env!("CARGO_PKG_VERSION"));
        let ui = Ui::new(tool, Format::Json, anstream::ColorChoice::Never, UiFlags::default());
        // Usage is already on stderr; where stdout is gone as well, the exit remains.
        let _ = ui.failure_document(&failure);
    }
    Err(Exit::Usage)
}

/// The same error, with no character in it that steers a terminal: it repeats what was given.
fn harmless(mut error: clap::Error) -> clap::Error {
    use clap::error::ContextValue;

    let shown = |text: &String| visible(text).into_owned();
    let given: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in given {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(shown(&text)),
            ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(shown).collect()),
            // What clap itself made up: styles, numbers.
            other => other,
        };
        error.insert(kind, value);
    }
    error
}

/// The value of a flag, before the arguments are known to be right: `--color never`, `--color=never`.
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

/// Whether an argument is `--` and a few words in small letters, as a flag that is spelled wrongly and no value is.
fn is_like_a_flag(argument: &str) -> bool {
    argument.strip_prefix("--").is_some_and(|words| {
        words.len() <= 20 && words.chars().all(|char| char.is_ascii_lowercase() || char == '-')
    })
}

/// What is wrong with the command line, without any of its arguments but our own flags; `None` where clap's own text shows
/// none either.
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
        // The flag that a value was for is ours; an argument that is not known is not.
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
        _ => format!("{what}; it is not shown, since it may be a secret's value"),
    };
    Some(Failure::new(Exit::Usage, message).help(help))
}

/// Runs a future that talks to the world; Ctrl-C, SIGTERM and SIGHUP end it with what was already done.
pub fn block_on<T>(ui: &Ui, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, format!("could not start: {error}")))?;
    let result = runtime.block_on(async {
        tokio::select! {
            // First, so that no signal is missed.
            biased;
            () = signals::stopped() => Err(signals::interruption(ui)),
            result = work => result,
        }
    });
    // A question may still be waiting for its answer in a thread of its own.
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

/// Shows a plan, asks, carries it out: the one way in which anything is written.
///
/// Ends with [`Exit::Done`] where the plan is empty or was carried out, and with [`Exit::Pending`] for `--dry-run`.
pub async fn carry_out<A: Action, E: Into<Failure>>(
    ui: &Ui,
    plan: &Plan<A>,
    question: &str,
    apply: impl AsyncFn(&A) -> Result<(), E>,
) -> Result<Exit, Failure> {
    if let Some(exit) = show_and_confirm(ui, plan, question).await? {
        return Ok(exit);
    }
    execute(ui, plan, apply).await?;
    ui.applied(&plan.lines())?;
    ui.plan_json("applied", &plan.lines())?;
    Ok(Exit::Done)
}

/// Shows a plan and carries it out without a question: for writes that take nothing from the user.
pub async fn carry_out_unasked<A: Action, E: Into<Failure>>(
    ui: &Ui,
    plan: &Plan<A>,
    apply: impl AsyncFn(&A) -> Result<(), E>,
) -> Result<Exit, Failure> {
    if let Some(exit) = show(ui, plan)? {
        return Ok(exit);
    }
    execute(ui, plan, apply).await?;
    ui.applied(&plan.lines())?;
    ui.plan_json("applied", &plan.lines())?;
    Ok(Exit::Done)
}

/// Does the actions of a plan, independent ones at the same time; what was done is remembered for the message.
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
    executed.await.map_err(|stopped| interrupted(stopped))
}

/// What a plan that stopped half-way says: the error, how far it came, and that a second run goes on.
fn interrupted<E: Into<Failure>>(stopped: Stopped<E>) -> Failure {
    let mut failure: Failure = stopped.error.into();
    for other in stopped.others {
        let other: Failure = other.into();
        failure.causes.push(format!("and besides: {}", other.message));
    }
    failure.causes.push(format!("stopped after {} of {} actions", stopped.done, stopped.of));
    failure.help.get_or_insert_with(|| {
        "fix the error above, then run it again: finished actions are not repeated".to_owned()
    });
    failure
}

fn describe(line: &crate::plan::Line) -> String {
    match &line.setting {
        Some(setting) => format!("{}: {setting}", line.thing),
        None => line.thing.clone(),
    }
}

//! Questions with line editing, and lists to choose from, on a terminal.
//!
//! With a pipe or `TERM=dumb`, the same questions are asked line by line. `?` explains a question and `<` goes back; in a list Esc
//! goes back.

use dialoguer::console::Term;
use dialoguer::theme::SimpleTheme;
use dialoguer::{FuzzySelect, Input, MultiSelect, Select};

use crate::command::Ui;
use crate::explain::{Exit, Failure};

/// How many entries of a list are shown at once.
const PAGE: usize = 12;

/// A reply to a question.
pub(super) enum Reply {
    Text(String),
    Back,
    Help,
}

/// Whether the terminal supports line editing and lists.
pub(super) fn is_rich(ui: &Ui) -> bool {
    let term = Term::stderr();
    ui.can_ask() && term.features().is_attended() && !is_dumb()
}

#[expect(clippy::disallowed_methods, reason = "this is `command`, which reads the environment")]
fn is_dumb() -> bool {
    std::env::var("TERM").is_ok_and(|term| term == "dumb")
}

/// Shows the cursor again, which a list hides, also after Ctrl-C.
struct Cursor;

impl Drop for Cursor {
    fn drop(&mut self) {
        // The error of a closed terminal cannot be printed.
        let _ = Term::stderr().show_cursor();
    }
}

async fn on_terminal<T: Send + 'static>(
    ask: impl FnOnce(&Term) -> dialoguer::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let _cursor = Cursor;
    let answer = tokio::task::spawn_blocking(move || ask(&Term::stderr())).await;
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        // Ctrl-C also arrives as a signal; both end the run in the same way.
        Ok(Err(dialoguer::Error::IO(error))) if error.kind() == std::io::ErrorKind::Interrupted => {
            Err(Failure::new(Exit::Interrupted, "interrupted"))
        }
        _ => Err(Failure::new(Exit::Failed, "could not read the answer")),
    }
}

/// Asks for a line. An empty answer accepts the hint; `wrong` is the rejected answer, which can be edited.
pub(super) async fn line(
    ui: &Ui,
    prompt: &str,
    hint: Option<&str>,
    wrong: Option<&str>,
) -> Result<Reply, Failure> {
    let given = if is_rich(ui) {
        let (prompt, hint) = (prompt.to_owned(), hint.map(str::to_owned));
        let wrong = wrong.map(str::to_owned);
        on_terminal(move |term| {
            let mut input = Input::<String>::with_theme(&SimpleTheme).with_prompt(prompt).allow_empty(true);
            if let Some(hint) = hint {
                input = input.default(hint);
            }
            if let Some(wrong) = wrong {
                input = input.with_initial_text(wrong);
            }
            input.interact_text_on(term)
        })
        .await?
    } else {
        let shown = hint.map_or(String::new(), |hint| format!(" [{hint}]"));
        ui.ask(&format!("{prompt}{shown}: ")).await?
    };
    Ok(match (given.trim(), hint) {
        ("?", _) => Reply::Help,
        ("<", _) => Reply::Back,
        ("", Some(hint)) => Reply::Text(hint.to_owned()),
        (given, _) => Reply::Text(given.to_owned()),
    })
}

/// Offers a long list with a search; `None` for Esc.
pub(super) async fn one_of(prompt: &str, items: Vec<String>, first: usize) -> Result<Option<usize>, Failure> {
    let prompt = format!("{prompt} (type to search, Esc goes back)");
    on_terminal(move |term| {
        FuzzySelect::with_theme(&SimpleTheme)
            .with_prompt(prompt)
            .items(&items)
            .default(first)
            .max_length(PAGE)
            .interact_on_opt(term)
    })
    .await
}

/// Offers a short list; `None` for Esc.
pub(super) async fn action(prompt: &str, items: Vec<String>) -> Result<Option<usize>, Failure> {
    let prompt = prompt.to_owned();
    on_terminal(move |term| {
        Select::with_theme(&SimpleTheme).with_prompt(prompt).items(&items).default(0).interact_on_opt(term)
    })
    .await
}

/// Offers a list of which several entries can be chosen; `None` for Esc.
pub(super) async fn some_of(
    prompt: &str,
    items: Vec<String>,
    chosen: Vec<bool>,
) -> Result<Option<Vec<usize>>, Failure> {
    let prompt = format!("{prompt} (space selects, Enter continues, Esc goes back)");
    on_terminal(move |term| {
        MultiSelect::with_theme(&SimpleTheme)
            .with_prompt(prompt)
            .items(&items)
            .defaults(&chosen)
            .interact_on_opt(term)
    })
    .await
}

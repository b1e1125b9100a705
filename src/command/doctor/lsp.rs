//! `osmt-doctor lsp`: a language server on stdin and stdout (Microsoft, "Language Server Protocol", 3.17).
//!
//! It shows the findings of `check` as the text changes, offers the corrections of `fix`, and explains a finding under the
//! cursor. It reads no other document, does not call AWS and writes no file.

use std::collections::BTreeMap;
use std::ops::Range;

use clap::Args;
use lsp_server::{Connection, ErrorCode, Message, Notification, ProtocolError, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, DidSaveTextDocument, Notification as _,
    PublishDiagnostics, ShowMessage,
};
use lsp_types::request::{CodeActionRequest, HoverRequest, Request as _};
use lsp_types::{
    CodeActionKind, CodeActionParams, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, HoverParams,
    Location, MessageType, NumberOrString, Position, PublishDiagnosticsParams, ShowMessageParams, Uri,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::organisation;
use super::organisation::PolicyFlags;
use crate::command::{Context, SharedArgs};
use crate::doctor;
use crate::doctor::ignore::Ignores;
use crate::doctor::policy::Policy;
use crate::doctor::settings::Settings;
use crate::doctor::{CheckOptions, Checked, fix};
use crate::explain::{Exit, Failure, shown};
use crate::finding::{Finding, Severity};
use crate::report::FileReport;
use crate::report::editor::{Marked, marked};

/// Run a language server for editors: findings, corrections and explanations over stdin and stdout.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-doctor lsp")]
pub(super) struct Lsp {
    /// Use stdin and stdout (the default; editors pass it).
    #[arg(long)]
    stdio: bool,
    #[command(flatten)]
    policy_flags: PolicyFlags,
}

/// The organisation's files, read when a document is opened or saved.
#[derive(Default)]
struct Organisation {
    policies: Vec<Policy>,
    settings: Settings,
    ignores: Option<Ignores>,
}

/// An open document.
struct Open {
    uri: Uri,
    version: i32,
    checked: Checked,
}

struct Session<'a> {
    connection: &'a Connection,
    policy_flags: &'a PolicyFlags,
    shared: &'a SharedArgs,
    organisation: Organisation,
    open: BTreeMap<String, Open>,
    /// The message that `--dir` does not exist was shown.
    is_without_folder: bool,
}

impl Lsp {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let (connection, threads) = Connection::stdio();
        let capabilities = json!({
            "textDocumentSync": { "openClose": true, "change": 1, "save": true },
            "codeActionProvider": { "codeActionKinds": [CodeActionKind::QUICKFIX] },
            "hoverProvider": true,
        });
        let (id, _) = connection.initialize_start().map_err(|error| protocol_failure(&error))?;
        let server = json!({ "name": "osmt-doctor", "version": env!("CARGO_PKG_VERSION") });
        let answer = json!({ "capabilities": capabilities, "serverInfo": server });
        connection.initialize_finish(id, answer).map_err(|error| protocol_failure(&error))?;
        let mut session = Session {
            connection: &connection,
            policy_flags: &self.policy_flags,
            shared: &cx.shared,
            organisation: Organisation::default(),
            open: BTreeMap::new(),
            is_without_folder: false,
        };
        let is_shut_down = session.serve()?;
        drop(connection);
        if !is_shut_down {
            return Err(Failure::new(Exit::Failed, "the editor ended the session without a shutdown"));
        }
        threads.join().map_err(|error| {
            Failure::new(Exit::Failed, format!("could not exchange messages with the editor: {error}"))
        })?;
        Ok(Exit::Done)
    }
}

fn protocol_failure(error: &ProtocolError) -> Failure {
    Failure::new(Exit::Failed, format!("could not start a session with an editor: {error}"))
        .help("an editor starts this verb; docs/editors.md describes the setup")
}

impl Session<'_> {
    /// Handles messages until the editor shuts the session down; false if it only closed the connection.
    fn serve(&mut self) -> Result<bool, Failure> {
        for message in &self.connection.receiver {
            match message {
                Message::Request(request) => {
                    if self.connection.handle_shutdown(&request).map_err(|error| protocol_failure(&error))? {
                        return Ok(true);
                    }
                    let answer = self.answer(&request);
                    self.send(answer);
                }
                Message::Notification(notification) => self.handle(notification),
                Message::Response(_) => {}
            }
        }
        Ok(false)
    }

    /// A closed connection is noticed at the next read.
    fn send(&self, message: impl Into<Message>) {
        let _ = self.connection.sender.send(message.into());
    }

    fn answer(&self, request: &Request) -> Response {
        let id = request.id.clone();
        let result = match request.method.as_str() {
            CodeActionRequest::METHOD => params(&request.params).map(|asked| self.corrections(&asked)),
            HoverRequest::METHOD => params(&request.params).map(|asked| self.explanation(&asked)),
            other => {
                let message = format!("{other} is not supported");
                return Response::new_err(id, ErrorCode::MethodNotFound as i32, message);
            }
        };
        match result {
            Ok(value) => Response::new_ok(id, value),
            Err(error) => Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string()),
        }
    }

    fn handle(&mut self, notification: Notification) {
        let Notification { method, params: given } = notification;
        match method.as_str() {
            DidOpenTextDocument::METHOD => {
                if let Ok(DidOpenTextDocumentParams { text_document: opened }) = params(&given)
                    && self.is_config(&opened.uri)
                {
                    self.load();
                    self.check(opened.uri, opened.version, opened.text);
                }
            }
            DidChangeTextDocument::METHOD => {
                if let Ok(DidChangeTextDocumentParams { text_document, content_changes }) = params(&given)
                    && let Some(open) = self.open.get(text_document.uri.as_str())
                    && !content_changes.is_empty()
                {
                    // The server asks for complete texts, but some clients send ranges.
                    let text = content_changes.into_iter().fold(open.checked.text.clone(), |text, change| {
                        match change.range {
                            Some(range) => replaced(&text, range, &change.text),
                            None => change.text,
                        }
                    });
                    self.check(text_document.uri, text_document.version, text);
                }
            }
            // The saved file may be one of the organisation's files.
            DidSaveTextDocument::METHOD => {
                self.load();
                for (_, Open { uri, version, checked }) in std::mem::take(&mut self.open) {
                    self.check(uri, version, checked.text);
                }
            }
            DidCloseTextDocument::METHOD => {
                if let Ok(DidCloseTextDocumentParams { text_document }) = params(&given)
                    && self.open.remove(text_document.uri.as_str()).is_some()
                {
                    self.publish(text_document.uri, None, Vec::new());
                }
            }
            _ => {}
        }
    }

    /// Editors send every JSON file; only configs are checked.
    fn is_config(&self, uri: &Uri) -> bool {
        let name = uri.as_str().rsplit('/').next().unwrap_or_default();
        let own = self.shared.config_path();
        name.ends_with(".tfvars.json") || own.file_name().is_some_and(|own| own.to_string_lossy() == name)
    }

    /// Reads policies, settings and ignores. If one of them is wrong, a message is shown and the previous ones are kept.
    fn load(&mut self) {
        match self.read_organisation() {
            Ok(organisation) => self.organisation = organisation,
            Err(failure) => self.warn(failure.message),
        }
        let dir = &self.shared.dir;
        if !dir.is_dir() && !self.is_without_folder {
            self.is_without_folder = true;
            let folder = std::path::absolute(dir).unwrap_or_else(|_| dir.clone());
            self.warn(format!(
                "{} does not exist: policies, doctor.toml and ignores are not applied; `--dir` names the Terraform directory, relative to where the editor starts osmt-doctor",
                shown(&folder)
            ));
        }
    }

    fn warn(&self, message: String) {
        let shown = ShowMessageParams { typ: MessageType::WARNING, message };
        self.send(Notification::new(ShowMessage::METHOD.to_owned(), shown));
    }

    fn read_organisation(&self) -> Result<Organisation, Failure> {
        let policies = self.policy_flags.policies(self.shared)?;
        let settings = organisation::settings(self.shared, &policies)?;
        let ignores = organisation::ignores(self.shared)?.map(|(_, ignores)| ignores);
        Ok(Organisation { policies, settings, ignores })
    }

    fn check(&mut self, uri: Uri, version: i32, text: String) {
        let Organisation { policies, settings, ignores } = &self.organisation;
        let options = CheckOptions { loopback: self.shared.is_local(), policies };
        let mut checked = doctor::check(text.into_bytes(), options);
        settings.apply(&mut checked.findings);
        if let Some(ignores) = ignores {
            // Findings about the ignores themselves belong to the ignore file and are not shown here.
            organisation::accept(ignores, policies, std::iter::once(&mut checked.findings));
        }
        let open = Open { uri: uri.clone(), version, checked };
        let diagnostics = open.marked().iter().map(|found| diagnostic(&open, found)).collect();
        self.publish(uri, Some(version), diagnostics);
        self.open.insert(open.uri.as_str().to_owned(), open);
    }

    fn publish(&self, uri: Uri, version: Option<i32>, diagnostics: Vec<Diagnostic>) {
        let params = PublishDiagnosticsParams { uri, diagnostics, version };
        self.send(Notification::new(PublishDiagnostics::METHOD.to_owned(), params));
    }

    /// The corrections for the findings in a range, as `fix` makes them.
    fn corrections(&self, asked: &CodeActionParams) -> Value {
        let uri = asked.text_document.uri.as_str();
        let wanted = asked.context.only.as_ref().is_none_or(|only| only.contains(&CodeActionKind::QUICKFIX));
        let Some(open) = self.open.get(uri).filter(|_| wanted) else {
            return json!([]);
        };
        let touches =
            |range: &lsp_types::Range| range.start <= asked.range.end && asked.range.start <= range.end;
        let actions = open.marked().into_iter().filter(|found| touches(&open.range(&found.span)));
        let actions = actions.filter(|found| !found.finding.masked).filter_map(|found| {
            let (span, text) = fix::edit(open.checked.document.as_ref(), found.finding)?;
            let edit = json!({ "range": open.range(&span), "newText": text });
            Some(json!({
                "title": found.help.clone().unwrap_or_else(|| format!("correct {}", found.finding.code)),
                "kind": CodeActionKind::QUICKFIX,
                "isPreferred": true,
                "diagnostics": [diagnostic(open, &found)],
                "edit": { "changes": { uri: [edit] } },
            }))
        });
        actions.collect()
    }

    /// The pages of the findings at a position; null if there are none.
    fn explanation(&self, asked: &HoverParams) -> Value {
        let HoverParams { text_document_position_params: at, .. } = asked;
        let Some(open) = self.open.get(at.text_document.uri.as_str()) else {
            return Value::Null;
        };
        let mut pages: Vec<String> = Vec::new();
        let mut shown = None;
        for found in open.marked() {
            let range = open.range(&found.span);
            if range.start <= at.position && at.position <= range.end {
                shown.get_or_insert(range);
                let page = self.page(found.finding);
                if !pages.contains(&page) {
                    pages.push(page);
                }
            }
        }
        match shown {
            Some(range) => json!({
                "contents": { "kind": "markdown", "value": pages.join("\n\n---\n\n") },
                "range": range,
            }),
            None => Value::Null,
        }
    }

    /// The text of `explain` for a finding's rule or policy.
    fn page(&self, finding: &Finding) -> String {
        let Finding { code, name, severity, .. } = finding;
        let heading = format!("**{code} {name}** ({})", severity.name());
        if let Some(rule) = doctor::all_rules().into_iter().find(|rule| rule.code == code) {
            return format!("{heading}\n\n{}.\n\n{}", rule.summary, rule.prose());
        }
        let policy = self.organisation.policies.iter().find(|policy| policy.code == *code);
        let help = policy.and_then(|policy| Some(format!("\n\nInstead: {}", policy.help.as_ref()?)));
        let message = policy.map_or("", |policy| policy.message.as_str());
        format!("{heading}\n\n{message}.{}", help.unwrap_or_default())
    }
}

impl Open {
    fn marked(&self) -> Vec<Marked<'_>> {
        let Checked { text, document, findings } = &self.checked;
        marked(&FileReport { file: self.uri.as_str(), text, document: document.as_ref(), findings })
    }

    fn range(&self, span: &Range<usize>) -> lsp_types::Range {
        let at = |offset| position(&self.checked.text, offset);
        lsp_types::Range { start: at(span.start), end: at(span.end) }
    }
}

fn diagnostic(open: &Open, found: &Marked<'_>) -> Diagnostic {
    let related = found.related.iter().map(|(span, message)| DiagnosticRelatedInformation {
        location: Location { uri: open.uri.clone(), range: open.range(span) },
        message: message.clone(),
    });
    let related: Vec<_> = related.collect();
    Diagnostic {
        range: open.range(&found.span),
        severity: Some(match found.finding.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Note => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(found.finding.code.to_string())),
        source: Some("osmt-doctor".to_owned()),
        message: match &found.help {
            Some(help) => format!("{}\nhelp: {help}", found.message),
            None => found.message.clone(),
        },
        related_information: (!related.is_empty()).then_some(related),
        ..Diagnostic::default()
    }
}

/// A text with a range of it replaced.
fn replaced(text: &str, range: lsp_types::Range, new: &str) -> String {
    let start = offset(text, range.start);
    let end = offset(text, range.end).max(start);
    [&text[..start], new, &text[end..]].concat()
}

/// The byte offset of a position. A position after the end of a line is the end of the line.
fn offset(text: &str, wanted: Position) -> usize {
    let mut at = Position::new(0, 0);
    for (index, letter) in text.char_indices() {
        let ends = matches!(letter, '\n' | '\r');
        if at >= wanted || at.line == wanted.line && ends {
            return index;
        }
        if letter == '\n' || letter == '\r' && !text[index + 1..].starts_with('\n') {
            at = Position::new(at.line + 1, 0);
        } else {
            at.character += u32::try_from(letter.len_utf16()).unwrap_or(1);
        }
    }
    text.len()
}

/// The position of a byte offset: line and UTF-16 column, both from 0.
fn position(text: &str, offset: usize) -> Position {
    let bytes = text.as_bytes();
    let (mut line, mut start) = (0, 0);
    for (at, byte) in bytes[..offset].iter().enumerate() {
        if *byte == b'\n' || *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n') {
            line += 1;
            start = at + 1;
        }
    }
    let column = text[start..offset].encode_utf16().count();
    Position { line, character: u32::try_from(column).unwrap_or(u32::MAX) }
}

fn params<T: DeserializeOwned>(given: &Value) -> serde_json::Result<T> {
    T::deserialize(given)
}

#[cfg(test)]
mod tests {
    use lsp_types::Position;

    use super::{offset, position};

    #[test]
    fn columns_are_utf_16_units_and_every_line_end_counts() {
        let text = "a\r\nb😀c\rd\ne";
        let at = |wanted: char| {
            let found = position(text, text.find(wanted).unwrap());
            (found.line, found.character)
        };
        assert_eq!([at('a'), at('b'), at('c'), at('d'), at('e')], [(0, 0), (1, 0), (1, 3), (2, 0), (3, 0)]);
        for (byte, _) in text.char_indices().filter(|(byte, _)| !text[*byte..].starts_with('\n')) {
            assert_eq!(offset(text, position(text, byte)), byte);
        }
        let beyond =
            [(0, 9), (1, 2), (1, 99), (9, 0)].map(|(line, column)| offset(text, Position::new(line, column)));
        assert_eq!(beyond, [1, 8, 9, text.len()]);
    }
}

//! A session with the language server, by a script: open, change, hover, correct, close, end.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own")]

use std::fs;

use serde_json::{Value, json};

use super::base;
use super::support::{Folder, osmt, run, run_with};

const URI: &str = "file:///srv/environments/test.tfvars.json";

/// Sends messages and returns what came back, and the exit.
fn session(args: &[&str], messages: &[Value]) -> (Vec<Value>, i32) {
    begun(&json!({ "capabilities": {} }), args, messages)
}

/// As `session`, begun as an editor begins it.
fn begun(initialize: &Value, args: &[&str], messages: &[Value]) -> (Vec<Value>, i32) {
    let start = [
        json!({ "jsonrpc": "2.0", "id": "start", "method": "initialize", "params": initialize }),
        json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }),
    ];
    let framed = |message: &Value| {
        let text = message.to_string();
        format!("Content-Length: {}\r\n\r\n{text}", text.len())
    };
    let input: String = start.iter().chain(messages).map(framed).collect();
    let output = run_with(osmt("osmt-doctor").arg("lsp").args(args), &input);
    let mut rest = output.stdout;
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let (head, body) = rest.split_once("\r\n\r\n").unwrap();
        let length: usize = head.strip_prefix("Content-Length: ").unwrap().parse().unwrap();
        answers.push(serde_json::from_str(&body[..length]).unwrap());
        rest = body[length..].to_owned();
    }
    (answers, output.exit)
}

fn note(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn ask(id: &str, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn open(uri: &str, text: &str) -> Value {
    let document = json!({ "uri": uri, "languageId": "json", "version": 1, "text": text });
    note("textDocument/didOpen", &json!({ "textDocument": document }))
}

fn end() -> [Value; 2] {
    [ask("end", "shutdown", &Value::Null), note("exit", &Value::Null)]
}

#[test]
fn a_session_shows_explains_and_corrects() {
    let wrong = base("prod").replace("osmt_db", "osmt");
    let line = wrong.lines().position(|line| line.contains("db_name")).unwrap();
    let text = wrong.lines().nth(line).unwrap();
    let start = text.find("\"osmt\"").unwrap();
    let range = json!({
        "start": { "line": line, "character": start },
        "end": { "line": line, "character": start + "\"osmt\"".len() },
    });
    let changed =
        json!({ "textDocument": { "uri": URI, "version": 2 }, "contentChanges": [{ "text": base("prod") }] });
    let document = json!({ "uri": URI });
    let mut messages = vec![
        open(URI, &wrong),
        ask("hover", "textDocument/hover", &json!({ "textDocument": document, "position": range["start"] })),
        ask(
            "nothing",
            "textDocument/hover",
            &json!({ "textDocument": document, "position": { "line": 0, "character": 0 } }),
        ),
        ask(
            "fix",
            "textDocument/codeAction",
            &json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } }),
        ),
        ask("other", "textDocument/rename", &json!({})),
        ask("bad", "textDocument/hover", &json!({ "position": 5 })),
        note("textDocument/didChange", &changed),
        note("textDocument/didClose", &json!({ "textDocument": document })),
        open("file:///srv/package.json", "{}"),
    ];
    messages.extend(end());
    let (answers, exit) = session(&["--stdio"], &messages);
    assert_eq!(exit, 0);
    let answer = |id: &str| answers.iter().find(|answer| answer["id"] == id).unwrap();
    assert_eq!(answer("start")["result"]["capabilities"]["hoverProvider"], json!(true));
    assert_eq!(answer("start")["result"]["serverInfo"]["name"], "osmt-doctor");
    let published: Vec<&Value> = answers
        .iter()
        .filter(|one| one["method"] == "textDocument/publishDiagnostics")
        .map(|one| &one["params"])
        .collect();
    // Opened, changed, closed; the other file is not judged.
    assert_eq!(published.len(), 3);
    let found =
        published[0]["diagnostics"].as_array().unwrap().iter().find(|one| one["code"] == "RDS001").unwrap();
    assert_eq!((&found["range"], &found["severity"]), (&range, &json!(1)));
    assert_eq!(published[1]["version"], json!(2));
    assert!(!published[1]["diagnostics"].to_string().contains("RDS001"));
    assert_eq!(published[2]["diagnostics"], json!([]));
    let hover = &answer("hover")["result"];
    assert_eq!(hover["range"], range);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("**RDS001"), "{hover}");
    assert_eq!(answer("nothing")["result"], Value::Null);
    let correction = &answer("fix")["result"][0]["edit"]["changes"][URI][0];
    assert_eq!(correction, &json!({ "range": range, "newText": "\"osmt_db\"" }));
    assert_eq!(answer("other")["error"]["code"], json!(-32601));
    assert_eq!(answer("bad")["error"]["code"], json!(-32602));
}

#[test]
fn the_findings_are_those_of_check_at_the_same_places() {
    let folder = Folder::empty();
    let text =
        base("prod").replace("osmt_db", "ösmt😀").replace("\"multi_az\": true", "\"multi_az\": \"true\"");
    let file = folder.path().join("a.tfvars.json");
    fs::write(&file, &text).unwrap();
    let report = run(osmt("osmt-doctor").args(["check", "--format", "json"]).arg(&file)).json();
    let wanted: Vec<(String, u64)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["code"].as_str().unwrap().to_owned(), one["start"]["line"].as_u64().unwrap_or(1)))
        .collect();
    assert!(wanted.len() >= 2, "{report:#}");
    let (answers, _) = session(&[], &[&[open(URI, &text)][..], &end()].concat());
    let found: Vec<(String, u64)> = answers[1]["params"]["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let line = one["range"]["start"]["line"].as_u64().unwrap();
            (one["code"].as_str().unwrap().to_owned(), line + 1)
        })
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_secret_in_the_config_stays_out_of_the_session() {
    let text = base("prod").replacen("\"config\": {", "\"config\": { \"password\": \"Tr0ub4dor-and-3\",", 1);
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 999, "character": 0 } });
    let document = json!({ "uri": URI });
    let mut messages = vec![
        open(URI, &text),
        ask(
            "fix",
            "textDocument/codeAction",
            &json!({ "textDocument": document, "range": whole, "context": { "diagnostics": [] } }),
        ),
    ];
    messages.extend(end());
    let (answers, _) = session(&[], &messages);
    assert!(answers[1]["params"]["diagnostics"].to_string().contains("password"), "{answers:?}");
    assert!(!json!(answers).to_string().contains("Tr0ub4dor"));
}

#[test]
fn a_folder_that_does_not_exist_is_reported_once() {
    let mut messages = vec![open(URI, &base("prod")), note("textDocument/didSave", &json!({}))];
    messages.extend(end());
    for (dir, count) in [("nowhere", 1), ("terraform/invocation", 0)] {
        let (answers, exit) = session(&["--dir", dir], &messages);
        assert_eq!(exit, 0);
        let shown = answers.iter().filter(|one| one["method"] == "window/showMessage");
        let shown: Vec<&str> = shown.filter_map(|one| one["params"]["message"].as_str()).collect();
        assert_eq!(shown.len(), count, "{shown:?}");
        assert!(shown.iter().all(|text| text.contains("/nowhere does not exist")), "{shown:?}");
    }
}

#[test]
fn an_editor_that_goes_away_is_a_failure() {
    assert_eq!(session(&[], &[]).1, 3);
    run_with(osmt("osmt-doctor").arg("lsp"), "hello\n").exits(3);
}

/// What the clients of the three editors of docs/editors.md send first, shortened to what a server can decide by:
/// vscode-languageclient 9, Neovim 0.11 and LSP4IJ (LSP4J).
fn editors() -> [(&'static str, Value); 3] {
    let folders = json!([{ "uri": "file:///srv/my%20checkout", "name": "my checkout" }]);
    let synchronization = json!({ "dynamicRegistration": true, "willSave": true, "didSave": true });
    [
        (
            "VS Code",
            json!({
                "processId": 1,
                "clientInfo": { "name": "Visual Studio Code", "version": "1.95.0" },
                "locale": "en",
                "rootPath": "/srv/my checkout",
                "rootUri": "file:///srv/my%20checkout",
                "capabilities": {
                    "general": { "positionEncodings": ["utf-16"], "regularExpressions": { "engine": "ECMAScript" } },
                    "workspace": { "configuration": true, "didChangeConfiguration": { "dynamicRegistration": true } },
                    "textDocument": {
                        "synchronization": synchronization,
                        "publishDiagnostics": { "relatedInformation": true, "versionSupport": false },
                        "diagnostic": { "dynamicRegistration": true },
                    },
                },
                "initializationOptions": {},
                "trace": "off",
                "workspaceFolders": folders,
            }),
        ),
        (
            "Neovim",
            json!({
                "processId": 1,
                "clientInfo": { "name": "Neovim", "version": "0.11.0" },
                "rootPath": "/srv/my checkout",
                "rootUri": "file:///srv/my%20checkout",
                "capabilities": {
                    "general": { "positionEncodings": ["utf-8", "utf-16", "utf-32"] },
                    "window": { "workDoneProgress": true },
                    "textDocument": { "synchronization": synchronization, "hover": { "contentFormat": ["markdown"] } },
                },
                "trace": "off",
                "workDoneToken": "1",
                "workspaceFolders": folders,
            }),
        ),
        (
            "LSP4IJ",
            json!({
                "processId": 1,
                "clientInfo": { "name": "IntelliJ IDEA", "version": "2024.3" },
                "rootUri": "file:///srv/my%20checkout/",
                "capabilities": {
                    "workspace": { "applyEdit": true, "configuration": true, "workspaceFolders": true },
                    "textDocument": { "synchronization": synchronization },
                },
                "initializationOptions": null,
                "trace": "verbose",
                "workspaceFolders": folders,
            }),
        ),
    ]
}

#[test]
fn each_editor_begins_changes_and_ends_a_session() {
    let wrong = base("prod").replace("osmt_db", "osmt😀x");
    let line = wrong.lines().position(|line| line.contains("db_name")).unwrap();
    let text = wrong.lines().nth(line).unwrap();
    // A face is two UTF-16 units: where it was counted as one or four, another letter would be replaced.
    let from = text.find("😀").unwrap();
    let range = |from: usize, to: usize| {
        json!({
            "start": { "line": line, "character": from },
            "end": { "line": line, "character": to },
        })
    };
    let change = |version: i32, changes: &Value| {
        let document = json!({ "uri": URI, "version": version });
        note("textDocument/didChange", &json!({ "textDocument": document, "contentChanges": changes }))
    };
    for (editor, initialize) in editors() {
        let mut messages = vec![
            note("workspace/didChangeConfiguration", &json!({ "settings": {} })),
            note("$/setTrace", &json!({ "value": "off" })),
            open(URI, &wrong),
            change(2, &json!([{ "text": base("prod") }])),
            change(3, &json!([{ "text": wrong }])),
            change(
                4,
                &json!([
                    { "range": range(from + 2, from + 3), "text": "_db" },
                    { "range": range(from, from + 2), "rangeLength": 2, "text": "" },
                ]),
            ),
            note("textDocument/didSave", &json!({ "textDocument": { "uri": URI } })),
        ];
        messages.extend(end());
        let (answers, exit) = begun(&initialize, &[], &messages);
        assert_eq!(exit, 0, "{editor}");
        let started = answers.iter().find(|answer| answer["id"] == "start").unwrap();
        let capabilities = &started["result"]["capabilities"];
        assert_eq!(capabilities["textDocumentSync"]["change"], json!(1), "{editor}");
        // UTF-16 is what the protocol assumes where no encoding is named.
        assert_eq!(capabilities["positionEncoding"], Value::Null, "{editor}");
        let wrong_name = |answer: &Value| answer["params"]["diagnostics"].to_string().contains("RDS001");
        let published: Vec<(i64, bool)> = answers
            .iter()
            .filter(|one| one["method"] == "textDocument/publishDiagnostics")
            .map(|one| (one["params"]["version"].as_i64().unwrap(), wrong_name(one)))
            .collect();
        assert_eq!(published, [(1, true), (2, false), (3, true), (4, false), (4, false)], "{editor}");
        assert_eq!(answers.iter().find(|answer| answer["id"] == "end").unwrap()["result"], Value::Null);
    }
}

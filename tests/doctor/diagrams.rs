//! The Mermaid diagrams of the documentation: Mermaid itself draws them in a real browser.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests read documents, start programs, and say what they skip"
)]

use std::fs;
use std::path::PathBuf;
use std::process::Command as Program;

use serde_json::{Value, json};

use super::browser::{body, browser};
use super::support::{root, run};

/// Draws each diagram in both themes; what is wrong becomes the page's only text.
const DRAW: &str = r#"
(async () => {
  const faults = [], meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  let drawn = 0;
  for (const theme of ['default', 'dark']) {
    mermaid.initialize({ startOnLoad: false, theme });
    for (const { file, text, labels } of diagrams) {
      try {
        document.body.innerHTML = (await mermaid.render('diagram' + drawn++, text)).svg;
      } catch (error) { faults.push(`${file}: ${error}`); continue }
      const shown = [...document.querySelectorAll('.nodeLabel, .edgeLabel .label, .messageText, .actor')].filter(one => one.textContent.trim());
      const said = shown.map(one => one.textContent).join('\n').replace(/\s+/g, ' ');
      for (const label of labels) if (!said.includes(label.replace(/\s+/g, ' '))) faults.push(`${file}: "${label}" is not shown`);
      const boxes = shown.map(one => [one, one.getBoundingClientRect()]);
      boxes.forEach(([one, own], at) => boxes.slice(at + 1).forEach(([two, other]) => {
        if (!one.contains(two) && !two.contains(one) && meet(own, other)) faults.push(`${file}: "${one.textContent}" overlaps "${two.textContent}"`);
      }));
      if (parseFloat(getComputedStyle(shown[0]).fontSize) < 12) faults.push(`${file}: the text is small`);
    }
  }
  document.documentElement.replaceChildren(document.createElement('body'));
  document.body.textContent = JSON.stringify({ drawn, faults });
})();
"#;

/// Each diagram of the documentation, with the labels in quotes that it must show.
fn diagrams() -> Vec<Value> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join("docs")).unwrap().map(|one| one.unwrap().path()).collect();
    files.extend(fs::read_dir(root().join("docs/decisions")).unwrap().map(|one| one.unwrap().path()));
    files.push(root().join("README.md"));
    files.sort();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "md")) {
        let page = fs::read_to_string(file).unwrap();
        for block in page.split("```mermaid\n").skip(1) {
            let text = block.split("\n```").next().unwrap();
            let labels: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
            let name = file.strip_prefix(root()).unwrap().display().to_string();
            found.push(json!({ "file": name, "text": text, "labels": labels }));
        }
    }
    found
}

fn drawn(browser: &str, mermaid: &str, diagrams: &[Value]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let data = json!(diagrams).to_string().replace('<', "\\u003c");
    let scripts =
        format!("<script src=\"file://{mermaid}\"></script><script>const diagrams = {data};{DRAW}</script>");
    fs::write(&page, format!("<!doctype html><meta charset=utf-8><body>{scripts}")).unwrap();
    let mut command = Program::new(browser);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=60000",
        "--dump-dom",
    ]);
    command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
    body(&run(command.arg(format!("file://{}", page.display()))))
}

#[test]
fn mermaid_draws_every_diagram_with_all_its_labels() {
    let Some(browser) = browser() else {
        eprintln!("skipped: Chromium is missing; on Debian: apt install chromium");
        return;
    };
    let fetched = run(Program::new("python3").arg("-B").arg(root().join("scripts/diagrams/mermaid.py")));
    if fetched.exit == 3 {
        eprintln!("skipped: {}", fetched.stderr);
        return;
    }
    let mermaid = fetched.exits(0).stdout.trim().to_owned();
    let mut diagrams = diagrams();
    let count = diagrams.len();
    assert!(count >= 2, "{diagrams:?}");
    let found = drawn(browser, &mermaid, &diagrams);
    assert_eq!(found, json!({ "drawn": 2 * count, "faults": [] }));
    // The measure itself can fail.
    diagrams.truncate(1);
    diagrams[0]["labels"] = json!(["nowhere"]);
    diagrams.push(json!({ "file": "broken", "text": "flowchart TD\n a --> --> b", "labels": [] }));
    let faults = drawn(browser, &mermaid, &diagrams)["faults"].to_string();
    assert!(faults.contains("is not shown") && faults.contains("broken: "), "{faults}");
}

//! The picture of the stack: what the verb writes and refuses, and how a real browser shows it.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests write files of their own, start a browser, and say what they skip"
)]

use std::fs;
use std::path::Path;
use std::process::Command as Program;

use serde_json::{Value, json};

use super::base;
use super::support::osmt;

/// A stack with the most zones and the longest values: `(config, plan)`.
fn largest(folder: &Path) -> (String, String) {
    let mut config: Value = serde_json::from_str(&base("prod")).unwrap();
    let inner = &mut config["config"];
    inner["env"] = json!("abcdefgh-ijklmno");
    inner["domain"]["name"] = json!(format!("{}.example-university.edu", "skills".repeat(9)));
    inner["ecs"]["task"]["app"]["docker_tag"] = json!(format!("sha256:{}", "0123456789abcdef".repeat(4)));
    let zones: Vec<String> = "abcdef".chars().map(|letter| format!("us-east-1{letter}")).collect();
    let blocks =
        |from: usize| -> Vec<String> { (from..from + 6).map(|n| format!("10.100.{n}.128/25")).collect() };
    inner["region"] = json!("us-east-1");
    inner["vpc"]["vpc_cidr"] = json!("10.100.0.0/16");
    inner["vpc"]["azs"] = json!(zones);
    inner["vpc"]["subnets"] = json!({ "private": blocks(100), "public": blocks(200) });
    let change = |kind: &str, name: &str, actions: &[&str]| {
        json!({
            "address": format!("module.osmt.{kind}.{name}"), "mode": "managed", "type": kind,
            "change": { "actions": actions },
        })
    };
    let plan = json!({
        "format_version": "1.2",
        "variables": { "config": { "value": inner } },
        "resource_changes": [
            change("aws_db_instance", "main", &["delete", "create"]),
            change("aws_db_parameter_group", "main", &["update"]),
            change("aws_lb", "main", &["delete"]),
            change("aws_ecs_service", "app", &["update"]),
            change("aws_vpc", "main", &["create"]),
            change("aws_subnet", "public[\"us-east-1c\"]", &["create"]),
            change("aws_iam_role_policy_attachment", "a_policy_with_a_name_that_is_quite_long", &["delete"]),
        ],
    });
    let path = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    (path("config.json", config.to_string()), path("plan.json", plan.to_string()))
}

#[test]
fn only_a_picture_is_replaced_without_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let (config, plan) = largest(folder.path());
    let output = folder.path().join("stack.svg");
    let draw = |more: &[&str]| {
        let mut command = osmt("osmt-doctor");
        command.args(["draw", "--config", &config, "-o", output.to_str().unwrap()]).args(more);
        command.output().unwrap().status.code().unwrap()
    };
    assert_eq!(draw(&["--dry-run"]), 1);
    assert!(!output.exists());
    assert_eq!(draw(&[]), 0);
    let first = fs::read_to_string(&output).unwrap();
    assert_eq!(draw(&["--plan", &plan]), 0);
    assert_ne!(first, fs::read_to_string(&output).unwrap());
    fs::write(&output, "# notes about <svg\n").unwrap();
    assert_eq!(draw(&[]), 4);
    assert_eq!(fs::read_to_string(&output).unwrap(), "# notes about <svg\n");
    assert_eq!(draw(&["--yes"]), 0);
    assert_eq!(fs::read_to_string(&output).unwrap(), first);
    let stdout = osmt("osmt-doctor").args(["draw", "--config", &config, "-o", "-"]).output().unwrap().stdout;
    assert_eq!(String::from_utf8(stdout).unwrap(), first);
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.json");
    fs::write(&broken, "{\"config\": {\"env\": 5}}").unwrap();
    let exit = |args: &[&str]| osmt("osmt-doctor").arg("draw").args(args).output().unwrap().status.code();
    let broken = broken.to_str().unwrap();
    assert_eq!(exit(&["--config", broken]), Some(2));
    assert_eq!(exit(&["--config", "nowhere.json"]), Some(2));
    assert_eq!(exit(&["--plan", broken]), Some(2));
}

/// Measures a picture as it is shown, and leaves what it found as the page's only text.
const MEASURE: &str = r#"
const rgb = text => text.match(/[\d.]+/g).slice(0, 3).map(Number);
const light = text => { const [r, g, b] = rgb(text).map(c => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4 }); return .2126 * r + .7152 * g + .0722 * b };
const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) };
const box = node => { const { left, top, right, bottom } = node.getBoundingClientRect(); return { left, top, right, bottom } };
const meet = (a, b, by) => a.left < b.right - by && b.left < a.right - by && a.top < b.bottom - by && b.top < a.bottom - by;
const texts = [...document.querySelectorAll('svg text')], faults = [];
const paper = getComputedStyle(document.querySelector('.paper')).fill, page = box(document.querySelector('svg'));
const boxes = [...document.querySelectorAll('rect.box')];
texts.forEach((one, at) => {
  const own = box(one), style = getComputedStyle(one);
  texts.slice(at + 1).forEach(two => { if (meet(own, box(two), .5)) faults.push(`"${one.textContent}" overlaps "${two.textContent}"`) });
  document.querySelectorAll('path.arrow').forEach(arrow => { const line = box(arrow); line.left -= 1; line.right += 1; if (meet(own, line, .2)) faults.push(`an arrow crosses "${one.textContent}"`) });
  boxes.forEach(frame => { const edge = box(frame); if (meet(own, edge, .5) && (own.left < edge.left || own.right > edge.right || own.top < edge.top || own.bottom > edge.bottom)) faults.push(`"${one.textContent}" leaves its box`) });
  if (own.left < page.left || own.right > page.right || own.bottom > page.bottom) faults.push(`"${one.textContent}" leaves the page`);
  if (parseFloat(style.fontSize) * (page.right - page.left) / 1000 < 12) faults.push(`"${one.textContent}" is small`);
  const ground = boxes.find(frame => meet(own, box(frame), .5));
  const ratio = contrast(style.fill, ground ? getComputedStyle(ground).fill : paper);
  if (ratio < 4.5) faults.push(`"${one.textContent}" has a contrast of ${ratio.toFixed(1)}`);
});
boxes.forEach((one, at) => boxes.slice(at + 1).forEach(two => { if (meet(box(one), box(two), 0)) faults.push(`${one.dataset.part} overlaps ${two.dataset.part}`) }));
document.querySelectorAll('path.arrow').forEach(arrow => boxes.forEach(one => { const line = box(arrow); line.left -= 1; line.right += 1; if (meet(line, box(one), .9)) faults.push(`an arrow crosses ${one.dataset.part}`) }));
const dark = matchMedia('(prefers-color-scheme: dark)').matches, ground = light(paper) < .2;
document.documentElement.replaceChildren(document.createElement('body'));
document.body.textContent = JSON.stringify({ texts: texts.length, width: page.right - page.left, dark, ground, faults });
"#;

/// Chromium, where it is installed.
fn browser() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Program::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "CI needs Chromium");
    found
}

fn measured(browser: &str, picture: &str, dark: bool) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    fs::write(
        &page,
        format!("<!doctype html><meta charset=utf-8><style>body{{margin:0}}svg{{display:block}}</style>{picture}<script>{MEASURE}</script>"),
    )
    .unwrap();
    let mut command = Program::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1000,1600", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
    command.arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!dark)));
    let output = command.arg(format!("file://{}", page.display())).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let json =
        text.split_once("<body>").and_then(|(_, rest)| rest.split_once("</body>")).map(|(json, _)| json);
    let json = json.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(&json.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")).unwrap()
}

#[test]
fn a_browser_shows_every_text_apart_and_readable() {
    let Some(browser) = browser() else {
        eprintln!("skipped: Chromium is missing; on Debian: apt install chromium");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (config, plan) = largest(folder.path());
    let draw = |args: &[&str]| {
        let output = osmt("osmt-doctor").arg("draw").args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let usual = super::cases_folder().join("bases/prod.json");
    let usual = draw(&["--config", usual.to_str().unwrap()]);
    let largest = draw(&["--config", &config, "--plan", &plan]);
    for (picture, dark) in [(&usual, false), (&largest, false), (&largest, true)] {
        let found = measured(browser, picture, dark);
        assert_eq!(found["faults"], json!([]), "{found:#}");
        assert_eq!((&found["dark"], &found["ground"]), (&json!(dark), &json!(dark)));
        assert_eq!(found["width"], json!(1000));
        assert_eq!(found["texts"], json!(picture.matches("<text ").count()));
    }
    // The measure itself can fail.
    let crowded =
        usual.replace("</svg>", "<text x=\"20\" y=\"40\" font-size=\"9\">on top of the heading</text></svg>");
    let faults = measured(browser, &crowded, false)["faults"].to_string();
    assert!(faults.contains("overlaps") && faults.contains("is small"), "{faults}");
}

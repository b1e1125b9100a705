//! The page and the comment about a plan: what they contain, what they must not, and how a real browser shows the page.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests write files of their own, start programs, and print what they skip"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Program;

use serde_json::{Value, json};

use super::browser::{browser, measured_page};
use super::draw::largest;
use super::plan::folder_with;
use super::support::{Folder, Ran, git, osmt, run, snapshot};

/// Values that no report may contain.
const SECRETS: [&str; 3] = ["hunter2hunter2", "AKIAIOSFODNN7QWERTY2", "Tr0ub4dor"];

/// A plan with a finding, a thing that is not known, drift, secrets and texts that try to become markup.
fn plan(folder: &Path) -> (String, PathBuf) {
    let (config, file) = largest(folder);
    let mut plan: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let changes = plan["resource_changes"].as_array_mut().unwrap();
    changes.push(json!({
        "address": "module.osmt.aws_elasticache_replication_group.main", "mode": "managed",
        "type": "aws_elasticache_replication_group",
        "change": {
            "actions": ["update"],
            "before": { "auth_token": SECRETS[0], "note": "old", "description": "a" },
            "after": { "auth_token": SECRETS[2], "note": format!("key {}", SECRETS[1]), "description": "<script>alert(1)</script>" },
            "before_sensitive": { "auth_token": true }, "after_sensitive": { "auth_token": true },
            "after_unknown": { "port": true },
        },
    }));
    changes.push(json!({
        "address": "module.osmt.aws_sns_topic.alarms[\"<img src=//evil.example/x>@ops \u{1b}[31m\"]", "mode": "managed",
        "type": "aws_sns_topic", "change": { "actions": ["something new"] },
    }));
    changes.push(json!({
        "address": "data.aws_region.current", "mode": "data", "type": "aws_region", "change": { "actions": ["read"] },
    }));
    plan["resource_drift"] = json!([{
        "address": "module.osmt.aws_lb.main", "mode": "managed", "type": "aws_lb",
        "change": { "actions": ["update"], "before": { "idle_timeout": 60 }, "after": { "idle_timeout": 61 } },
    }]);
    plan["timestamp"] = json!("2026-01-02T03:04:05Z");
    plan["terraform_version"] = json!("1.11.4");
    let path = folder.join("change.json");
    fs::write(&path, plan.to_string()).unwrap();
    (config, path)
}

/// Runs `plan` in a folder.
fn planned(folder: &Path, args: &[&str]) -> Ran {
    let mut command = osmt("osmt-doctor");
    command.current_dir(folder).env("USER", "grace").arg("plan").args(args);
    for name in ["GITHUB_ACTOR", "GITLAB_USER_LOGIN"] {
        command.env_remove(name);
    }
    run(&mut command)
}

/// A page as its source has it, without the style and the picture: those are compared and measured elsewhere.
fn texts(page: &str) -> String {
    let mut text = page.to_owned();
    for (begin, end) in [("<style>", "</style>"), ("<svg", "</svg>")] {
        while let Some((before, rest)) = text.clone().split_once(begin) {
            let (_, after) = rest.split_once(end).unwrap();
            text = format!("{before}[{}]{after}", begin.trim_matches(['<', '>']));
        }
    }
    text
}

#[test]
fn the_page_has_all_that_a_reader_needs_and_no_secret() {
    let folder = Folder::empty();
    let (config, plan) = plan(folder.path());
    let plan = plan.to_str().unwrap();
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "config.json"]);
    git(folder.path(), &["commit", "--quiet", "-m", "the config"]);
    let commit = git(folder.path(), &["rev-parse", "HEAD"]);
    let ran = planned(folder.path(), &[plan, "--config", &config, "--report", "change.html"]).exits(1);
    let page = fs::read_to_string(folder.path().join("change.html")).unwrap();
    assert!(page.contains(&commit), "{commit}");
    snapshot("doctor/page", &texts(&page), &folder.own());
    let markdown = planned(folder.path(), &[plan, "--config", &config, "--format", "markdown"]).exits(1);
    let all = ran.transcript("--report") + &markdown.transcript("--format markdown");
    snapshot("doctor/plan-report", &all, &folder.own());
    for text in [&page, &all] {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
        assert!(!text.contains('\u{1b}') && !text.contains("aws_region.current"), "{text}");
    }
    // It loads nothing and runs nothing.
    for tag in ["<script", "<link", "<img", "src=\"", "href=", "@import", "url(h"] {
        assert!(!page.contains(tag), "{tag}");
    }
}

#[test]
fn another_file_is_not_replaced_and_dry_run_writes_nothing() {
    let folder = Folder::empty();
    let (config, plan) = plan(folder.path());
    let plan = plan.to_str().unwrap();
    let report = |more: &[&str]| {
        let mut args = vec![plan, "--config", &config, "--report", "change.html"];
        args.extend(more);
        planned(folder.path(), &args)
    };
    let file = folder.path().join("change.html");
    report(&["--dry-run"]).exits(1);
    assert!(!file.exists());
    report(&[]).exits(1);
    report(&[]).exits(1);
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.contains("Commit of the config</th><td>not known: "));
    fs::write(&file, "<!doctype html>\n<p>of someone else").unwrap();
    report(&[]).exits(4).matches("doctor/report-over-another-file", &folder.own());
    assert!(fs::read_to_string(&file).unwrap().ends_with("someone else"));
    report(&["--yes"]).exits(1);
    planned(folder.path(), &[plan, "--config", &config, "--report", "-"]).exits(2);
    planned(folder.path(), &[plan, "--config", &config, "--report", "."]).exits(2);
    // Without findings the exit is that of the run, and without a config the page has no picture.
    let (_folder, good) = folder_with("PLAN001", "right", "");
    planned(folder.path(), &[good.to_str().unwrap(), "--report", "good.html"]).exits(0);
    let good = fs::read_to_string(folder.path().join("good.html")).unwrap();
    assert!(good.contains("Not drawn: the plan does not contain the config"));
}

#[test]
fn a_check_prints_markdown_and_other_verbs_refuse_it() {
    let folder = Folder::empty();
    let file = folder.path().join("@ops.json");
    let mut config: Value = serde_json::from_str(&super::base("test")).unwrap();
    config["config"]["vpc"]["subnets"]["private"][0] = json!("10.0.0.0/27");
    fs::write(&file, format!("{config:#}")).unwrap();
    run(osmt("osmt-doctor").args(["check", "--format", "markdown"]).arg(&file))
        .exits(1)
        .matches("doctor/check-markdown", &folder.own());
    run(osmt("osmt-doctor").args(["rules", "--format", "markdown"])).exits(2);
}

#[test]
fn a_browser_shows_the_page_readable_on_a_screen_and_on_paper() {
    let Some(browser) = browser() else {
        eprintln!("skipped: Chromium is missing; on Debian: apt install chromium");
        return;
    };
    let folder = Folder::empty();
    let (config, plan) = plan(folder.path());
    planned(folder.path(), &[plan.to_str().unwrap(), "--config", &config, "--report", "change.html"]);
    let page = fs::read_to_string(folder.path().join("change.html")).unwrap();
    let policy = page.lines().find(|line| line.contains("Content-Security-Policy")).unwrap();
    // The measure is a script, which the page itself does not allow.
    let open = page.replace(policy, "");
    assert_ne!(open, page);
    for dark in [false, true] {
        let found = measured_page(browser, &open, 1000, dark);
        assert_eq!(found["faults"], json!([]), "{found:#}");
        assert_eq!(
            (&found["dark"], &found["ground"], &found["loaded"]),
            (&json!(dark), &json!(dark), &json!(0))
        );
        assert!(found["lines"].as_u64() > Some(40) && found["texts"].as_u64() > Some(30), "{found:#}");
    }
    // As printed on A4 with 12 mm of margin: 703 pixels, in light colours. The picture is there smaller than on a screen.
    let paper = open.replace("@media print", "@media all");
    let found = measured_page(browser, &paper, 703, false);
    let faults = found["faults"].as_array().unwrap();
    assert!(faults.iter().all(|fault| fault.as_str().unwrap().ends_with("is small")), "{found:#}");
    assert!(faults.len() <= usize::try_from(found["texts"].as_u64().unwrap()).unwrap(), "{found:#}");
    assert_eq!(found["body"], "rgb(255, 255, 255)");
    // The policy holds: a browser does not run what someone added, and the measure finds what is wrong.
    let added = page.replace("</body>", "<script>document.title = 'ran'</script></body>");
    let file = folder.path().join("added.html");
    fs::write(&file, added).unwrap();
    let mut command = Program::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
    let shown = run(command.arg(format!("file://{}", file.display()))).stdout;
    assert!(shown.contains("<title>Planned change of") && !shown.contains("<title>ran"), "{shown}");
    let bad = open.replace("</h1>", "</h1><p style=\"font-size:9px;color:#eee;margin-top:-20px\">on top</p>");
    let faults = measured_page(browser, &bad, 1000, false)["faults"].to_string();
    assert!(
        faults.contains("is small") && faults.contains("contrast") && faults.contains("overlaps"),
        "{faults}"
    );
}

//! The picture of the stack: what the verb writes and refuses, and how a real browser shows it.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests write files of their own, start a browser, and say what they skip"
)]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::base;
use super::browser::{browser, measured};
use super::support::{Folder, osmt, run};

/// A stack with the most zones and the longest values: `(config, plan)`.
pub(super) fn largest(folder: &Path) -> (String, String) {
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
    let folder = Folder::empty();
    let (config, plan) = largest(folder.path());
    let output = folder.path().join("stack.svg");
    let draw = |more: &[&str]| {
        let mut command = osmt("osmt-doctor");
        command.args(["draw", "--config", &config, "-o", output.to_str().unwrap()]).args(more);
        run(&mut command).exit
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
    assert_eq!(run(osmt("osmt-doctor").args(["draw", "--config", &config, "-o", "-"])).stdout, first);
}

/// `docs/stack.svg` is what this version draws; `UPDATE_DOCS=1` writes it anew.
#[test]
fn the_picture_in_the_documentation_is_drawn_by_this_version() {
    let config = super::cases_folder().join("bases/prod.json");
    let drawn = run(osmt("osmt-doctor").arg("draw").arg("--config").arg(config)).stdout;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/stack.svg");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &drawn).unwrap();
    }
    assert_eq!(fs::read_to_string(file).unwrap(), drawn);
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let folder = Folder::empty();
    let broken = folder.path().join("broken.json");
    fs::write(&broken, "{\"config\": {\"env\": 5}}").unwrap();
    let draw = |args: &[&str]| run(osmt("osmt-doctor").arg("draw").args(args));
    let broken = broken.to_str().unwrap();
    draw(&["--config", broken]).exits(2);
    draw(&["--config", "nowhere.json"]).exits(2);
    draw(&["--plan", broken]).exits(2);
}

#[test]
fn a_browser_shows_every_text_apart_and_readable() {
    let Some(browser) = browser() else {
        eprintln!("skipped: Chromium is missing; on Debian: apt install chromium");
        return;
    };
    let folder = Folder::empty();
    let (config, plan) = largest(folder.path());
    let draw = |args: &[&str]| run(osmt("osmt-doctor").arg("draw").args(args)).exits(0).stdout;
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

use serde_json::json;

use super::draw;
use crate::config::Config;
use crate::doctor::planned::Planned;
use crate::document::Document;

const CONFIG: &str = include_str!("../../../tests/support/config.json");

fn config(change: impl Fn(String) -> String) -> Config {
    let text = change(CONFIG.replace("ENV", "test"));
    Config::from_document(&Document::parse(text).unwrap()).unwrap()
}

fn plan(changes: &[(&str, &str, &[&str])]) -> Planned {
    let changes: Vec<_> = changes
        .iter()
        .map(|(kind, name, actions)| {
            json!({
                "address": format!("module.osmt.{kind}.{name}"), "mode": "managed", "type": kind,
                "change": { "actions": actions },
            })
        })
        .collect();
    Planned::new(json!({ "format_version": "1.2", "resource_changes": changes }), None).unwrap()
}

/// The texts of a picture, in order, a space between two.
fn texts(picture: &str) -> String {
    let document = roxmltree::Document::parse(picture).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter_map(|node| node.text()).collect::<Vec<_>>().join(" ")
}

/// The class of the box of a part.
fn class(picture: &str, part: &str) -> String {
    let document = roxmltree::Document::parse(picture).unwrap();
    let found = document.descendants().find(|node| node.attribute("data-part") == Some(part)).unwrap();
    found.attribute("class").unwrap().to_owned()
}

#[test]
fn every_part_is_drawn_with_its_values() {
    let picture = draw(&config(|text| text), None);
    let texts = texts(&picture).replace("- ", "-").replace("/ ", "/").replace(": ", ":");
    for wanted in [
        "osmt-test",
        "123456789012",
        "192.168.100.0/24",
        "192.168.100.64/27",
        "192.168.100.192/27",
        "Zone us-west-2b",
        "osmt.rehearsal-school.org",
        "2 tasks of 2 vCPU",
        "db.t4g.small",
        "cache.t4g.small",
        "osmt/test/db-uri",
        "7c51d8e6-b20f-4a93-95e4-1f68a7c03db2",
    ] {
        assert!(texts.contains(wanted), "{wanted} is not in {texts}");
    }
    assert!(!texts.contains("plan"), "{texts}");
    assert!(picture.contains("prefers-color-scheme: dark"));
    assert_eq!(picture.matches("class=\"arrow\"").count(), 5);
}

#[test]
fn zones_are_in_rows_of_one_length_where_that_is_possible() {
    for (count, rows) in [(2, &[2][..]), (3, &[3]), (4, &[2, 2]), (5, &[3, 2]), (6, &[3, 3])] {
        let zones: Vec<String> = ('a'..).take(count).map(|letter| format!("\"us-west-2{letter}\"")).collect();
        let zones = format!("[{}]", zones.join(", "));
        let picture = draw(&config(|text| text.replace("[\"us-west-2a\", \"us-west-2b\"]", &zones)), None);
        let document = roxmltree::Document::parse(&picture).unwrap();
        let parts = document.descendants().filter_map(|node| Some((node.attribute("data-part")?, node)));
        let heights =
            parts.filter(|(part, _)| part.starts_with("private:")).map(|(_, node)| node.attribute("y"));
        let heights: Vec<_> = heights.collect();
        let lengths: Vec<usize> = heights.chunk_by(|one, next| one == next).map(<[_]>::len).collect();
        assert_eq!(lengths, rows, "{count}");
    }
}

#[test]
fn a_plan_marks_each_part_by_what_happens_to_it() {
    let plan = plan(&[
        ("aws_db_instance", "main", &["delete", "create"]),
        ("aws_lb", "main", &["delete"]),
        ("aws_ecs_service", "app", &["update"]),
        ("aws_ecs_task_definition", "app", &["create", "delete"]),
        ("aws_elasticache_replication_group", "main", &["create"]),
        ("aws_subnet", "public[\"us-west-2b\"]", &["create"]),
        ("aws_subnet", "private[\"us-west-2c\"]", &["delete"]),
        ("aws_lb_listener", "https", &["update"]),
        ("aws_secretsmanager_secret", "db_uri", &["no-op"]),
        ("aws_iam_role", "task", &["something new"]),
    ]);
    let picture = draw(&config(|text| text), Some(&plan));
    assert_eq!(class(&picture, "mysql"), "box replaced");
    assert_eq!(class(&picture, "lb"), "box destroyed");
    assert_eq!(class(&picture, "app"), "box changed");
    assert_eq!(class(&picture, "redis"), "box created");
    assert_eq!(class(&picture, "public:us-west-2b"), "box created");
    assert_eq!(class(&picture, "public:us-west-2a"), "box");
    assert_eq!(class(&picture, "secrets"), "box");
    // Resources of a removed zone, and those of no part, are listed in the box `rest`.
    assert_eq!(class(&picture, "rest"), "box destroyed");
    let texts = texts(&picture);
    for wanted in ["± replaced", "− destroyed", "parts: 1 replaced", "? unclear", "2 destroyed, 2 replaced"]
    {
        assert!(texts.contains(wanted), "{wanted} is not in {texts}");
    }
}

#[test]
fn an_internal_load_balancer_is_in_the_private_subnets() {
    let height = |internal: bool| {
        let change = json!({
            "address": "module.osmt.aws_lb.main", "mode": "managed", "type": "aws_lb",
            "change": { "actions": ["no-op"], "before": {}, "after": { "internal": internal } },
        });
        let plan = json!({ "format_version": "1.2", "resource_changes": [change] });
        let picture = draw(&config(|text| text), Some(&Planned::new(plan, None).unwrap()));
        let document = roxmltree::Document::parse(&picture).unwrap();
        assert_eq!(picture.matches("class=\"arrow\"").count(), 5);
        ["lb", "public:us-west-2a", "app"].map(|part| {
            let found =
                document.descendants().find(|node| node.attribute("data-part") == Some(part)).unwrap();
            found.attribute("y").unwrap().parse::<f32>().unwrap()
        })
    };
    let [balancer, zone, app] = height(false);
    assert!(balancer < zone && zone < app);
    let [balancer, zone, app] = height(true);
    assert!(zone < balancer && balancer < app);
}

#[test]
fn odd_values_are_shown_and_a_password_is_not() {
    let few = config(|text| {
        text.replace("[\"192.168.100.0/27\", \"192.168.100.64/27\"]", "[\"192.168.100.0/27\"]")
    });
    assert!(texts(&draw(&few, None)).contains("no block"));
    let for_ever = config(|text| text.replace("\"log_retention_days\": 30", "\"log_retention_days\": 0"));
    assert!(texts(&draw(&for_ever, None)).contains("logs kept for ever"));
    let login = config(|text| {
        text.replace("https://rehearsal-school", "https://user:hunter2hunter2@rehearsal-school")
    });
    assert!(!draw(&login, None).contains("hunter2"));
    let odd = config(|text| text.replace("osmt.rehearsal-school.org", "a<b>&\\\"\\u0007\\u202e東京"));
    roxmltree::Document::parse(&draw(&odd, None)).unwrap();
}

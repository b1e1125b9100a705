//! What a person gives: one line, a prompt, a JSON object; and what is refused, without quoting it.

use crate::support;
use crate::support::{Emulator, snapshot};
use crate::world::World;

#[test]
fn input_is_one_line_that_can_work() {
    let Some(world) = World::new() else { return };
    let mut all = String::new();
    for (what, stdin) in [
        ("nothing", ""),
        ("an empty line", "\n"),
        ("two lines", "first\nsecond\n"),
        ("white space", "with space\n"),
        ("a brace", "${spring}\n"),
        ("a star", "glob*\n"),
    ] {
        let ran = world.offline("set app/oauth_client_secret", stdin).exits(2);
        all += &ran.lacks("first").lacks("with space").lacks("spring").lacks("glob").transcript(what);
    }
    snapshot("secrets/input-refused", &all, &world.own());
    assert_eq!(world.kept("app/oauth_client_secret"), None);
    world.offline("set app/oauth_client_secret", "exact line\r\n").exits(2);
    world.offline("set app/oauth_client_secret", "line\r\n").exits(0);
    assert_eq!(world.kept("app/oauth_client_secret").as_deref(), Some("line"));
    world.offline("set app/oauth_client_secret", "line").exits(0).shows("nothing to do");
    world.offline("set app/oauth_client_secret", "other").exits(4);
    world.offline("set app/oauth_client_secret --dry-run", "other").exits(1);
    assert_eq!(world.kept("app/oauth_client_secret").as_deref(), Some("line"));

    world.offline("set rds/username", "root").exits(2).says("osmt_admin");
    world.offline("set nonsense", "x").exits(2);
    world.offline("generate app/oauth_client_secret", "").exits(2).says("identity provider");
    world.offline("generate rds/password", "").exits(0);
    let first = world.kept("rds/password");
    world.offline("generate rds/password --yes", "").exits(4).says("--force");
    assert_eq!(world.kept("rds/password"), first);
    world.offline("generate rds/password --force", "").exits(0);
    assert_ne!(world.kept("rds/password"), first);
    world.offline("rm rds/password", "").exits(4);
    world.offline("rm rds/password --yes", "").exits(0);
    world.offline("rm rds/password --yes", "").exits(0).shows("nothing to do");
    let listed = world.offline("list --format json", "").exits(0).json();
    let states: Vec<_> =
        listed["secrets"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["fixed", "missing", "set"]);

    std::fs::write(world.config(), "{\n  \"config\": nope }").unwrap();
    world.offline("list", "").exits(2).says("line 2, column");
    std::fs::write(world.config(), support::config(&world.env)).unwrap();
}

#[test]
fn a_prompt_echoes_nothing_of_what_is_pasted_in_one_go_and_wants_it_twice() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    let type_in = |first: &str, second: &str| {
        let act = format!("until(b'(not shown): ')\ntype_in(b'{first}\\n{second}\\n')\nanswer = end()");
        world.on_terminal(&account, "set rds/password", &act)
    };
    let outcome = type_in("typed-by-hand-1", "typed-by-hand-2");
    assert_eq!(outcome[0], 2, "{}", outcome[1]);
    assert_eq!(world.kept("rds/password"), None);
    let same = type_in("typed-by-hand-1", "typed-by-hand-1");
    assert_eq!(same[0], 0, "{}", same[1]);
    assert!(!format!("{outcome}{same}").contains("typed-by-hand"), "{outcome}{same}");
    assert_eq!(world.kept("rds/password").as_deref(), Some("typed-by-hand-1"));
}

#[test]
fn an_import_takes_only_what_it_knows_and_can_work() {
    let Some(world) = World::new() else { return };
    let mut all = String::new();
    for (what, stdin) in [
        ("JSON that ends early", r#"{"rds": {"password": "Canary"#),
        ("a list", r#"["Canary-value"]"#),
        ("a value in the place of an object", r#"{"rds": "Canary-value"}"#),
        ("an unknown name", r#"{"rds": {"passwort": "Canary-value"}}"#),
        ("a number", r#"{"rds": {"password": 5}}"#),
        ("a name twice", r#"{"rds": {"password": "Canary-value", "password": "Canary-other"}}"#),
        ("white space", r#"{"rds": {"password": "Canary value"}}"#),
        (
            "one that is fine and one that is short",
            r#"{"app": {"oauth_client_secret": "fine-one"}, "rds": {"password": "Canary!"}}"#,
        ),
    ] {
        all += &world.offline("import --yes", stdin).exits(2).lacks("Canary").transcript(what);
    }
    snapshot("secrets/import-refused", &all, &world.own());
    assert_eq!(world.kept("app/oauth_client_secret"), None, "all or nothing");
    let good = r#"{"rds": {"password": "good-enough"}}"#;
    world.offline("import", good).exits(0);
    world.offline("import", good).exits(0).shows("nothing to do");
    world.offline("import", r#"{"rds": {"password": "good-enough-2"}}"#).exits(4);
}

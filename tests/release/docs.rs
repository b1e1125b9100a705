//! The page says what the code does.

use osmt::release::guards;

use crate::support;

#[test]
fn the_page_lists_every_guard() {
    let page = std::fs::read_to_string(support::root().join("docs/release.md")).unwrap();
    let mut table = String::new();
    for guard in guards::GUARDS {
        let rule = &guard.rule;
        let row =
            format!("| `{}` | {} | `{}` | {} |\n", rule.code, rule.severity.name(), rule.name, rule.explain);
        table += &row;
    }
    assert!(page.contains(&table), "docs/release.md lacks this table:\n{table}");
    for code in guards::acceptable() {
        assert!(page.contains(&format!("`{code}`")), "{code}");
    }
}

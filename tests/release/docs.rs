//! The page names what the code takes.

use osmt::release::guards;

use crate::support;

#[test]
fn the_page_names_every_code_that_can_be_accepted() {
    let page = std::fs::read_to_string(support::root().join("docs/release.md")).unwrap();
    for code in guards::acceptable() {
        assert!(page.contains(&format!("`{code}`")), "{code}");
    }
}

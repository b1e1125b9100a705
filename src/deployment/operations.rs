//! Reads and sets `region_in_names` in `operations.tf`: whether names that are global in the account, such as those of IAM roles,
//! contain the Region. Pure.

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, Object};
use hcl_edit::structure::Body;

/// The file.
pub const FILE: &str = "operations.tf";
/// The setting in the module's `operations`.
pub const REGION_IN_NAMES: &str = "region_in_names";

/// The value of the setting; `None` if it is unknown, because the file is not HCL or the value is not a literal.
pub fn region_in_names(text: &str) -> Option<bool> {
    let body: Body = text.parse().ok()?;
    match setting(operations(&body)?) {
        None => Some(false),
        Some(Expression::Bool(switch)) => Some(*switch.value()),
        Some(_) => None,
    }
}

/// The file with the setting on; no other byte changes. `None` if `operations` is not an object.
pub fn with_region_in_names(text: &str) -> Option<String> {
    let body: Body = text.parse().ok()?;
    let operations = operations(&body)?;
    let (at, new) = match setting(operations) {
        Some(value) => (value.span()?, "true".to_owned()),
        None => first_member(text, &operations.span()?),
    };
    let mut edited = text.to_owned();
    edited.replace_range(at, &new);
    Some(edited)
}

fn operations(body: &Body) -> Option<&Object> {
    let mut locals = body.get_blocks("locals");
    locals.find_map(|block| block.body.get_attribute("operations"))?.value.as_object()
}

fn setting(operations: &Object) -> Option<&Expression> {
    let (_, value) = operations.iter().find(|(key, _)| {
        let quoted = key.as_expr().and_then(Expression::as_str);
        key.as_ident().map(hcl_edit::Ident::as_str).or(quoted) == Some(REGION_IN_NAMES)
    })?;
    Some(value.expr())
}

/// The insertion of the setting as first member: on a new line with two more spaces of indentation, or on the same line if the
/// object is on one line.
fn first_member(text: &str, object: &Range<usize>) -> (Range<usize>, String) {
    let at = object.start + 1;
    let inside = text[at..object.end].trim_end_matches('}');
    let new = if inside.contains('\n') {
        let line = text[..object.start].rfind('\n').map_or(0, |at| at + 1);
        let indent: String = text[line..].chars().take_while(|char| matches!(char, ' ' | '\t')).collect();
        format!("\n{indent}  {REGION_IN_NAMES} = true")
    } else if inside.trim().is_empty() {
        format!(" {REGION_IN_NAMES} = true ")
    } else {
        format!(" {REGION_IN_NAMES} = true,")
    };
    (at..at, new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../terraform/invocation/operations.tf");

    #[test]
    fn a_literal_setting_is_read() {
        assert_eq!(region_in_names(SHIPPED), Some(false));
        for (text, expected) in [
            ("locals {\n  operations = { region_in_names = true }\n}\n", Some(true)),
            (
                "locals {\n  a = 1\n}\nlocals {\n  operations = {\n    \"region_in_names\" = false\n  }\n}\n",
                Some(false),
            ),
            ("locals {\n  operations = { region_in_names = var.x }\n}\n", None),
            ("locals {\n  operations = merge({}, {})\n}\n", None),
            ("locals {\n", None),
            ("", None),
        ] {
            assert_eq!(region_in_names(text), expected, "{text}");
        }
    }

    #[test]
    fn only_the_setting_is_added() {
        let set = with_region_in_names(SHIPPED).unwrap();
        assert_eq!(region_in_names(&set), Some(true));
        assert_eq!(set.replacen("\n    region_in_names = true", "", 1), SHIPPED);
        for (text, expected) in [
            ("locals {\n  operations = {}\n}\n", "locals {\n  operations = { region_in_names = true }\n}\n"),
            (
                "locals {\n  operations = { a = 1 }\n}\n",
                "locals {\n  operations = { region_in_names = true, a = 1 }\n}\n",
            ),
            (
                "locals {\n  operations = {\n    region_in_names = false # no\n  }\n}\n",
                "locals {\n  operations = {\n    region_in_names = true # no\n  }\n}\n",
            ),
        ] {
            assert_eq!(with_region_in_names(text).as_deref(), Some(expected));
            assert_eq!(region_in_names(expected), Some(true), "{expected}");
        }
        assert_eq!(with_region_in_names("locals {\n  operations = local.other\n}\n"), None);
    }
}

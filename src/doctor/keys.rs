//! The keys that the config's schema defines.

use std::sync::LazyLock;

use serde_json::Value;

/// The schema of the config, as it is published.
pub const CONFIG: &str = include_str!("../../schemas/config.schema.json");

pub(super) static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(CONFIG).unwrap_or(Value::Null));

/// Whether the schema defines a value at a pointer.
pub fn is_key(pointer: &str) -> bool {
    let steps = pointer.split('/').skip(1);
    let mut schema = &*SCHEMA;
    for step in steps {
        schema = match wanted(schema) {
            "array" => &schema["items"],
            _ => &schema["properties"][step.replace("~1", "/").replace("~0", "~")],
        };
    }
    !schema.is_null()
}

/// The type in a schema: `string`, `integer`, `boolean`, `array`, `object`.
pub(super) fn wanted(schema: &Value) -> &str {
    schema["type"].as_str().unwrap_or_default()
}

/// The name that was probably meant: a typo, another case, or another way to join the words.
pub fn similar<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-', ' '], "");
    let wanted = plain(key);
    names
        .map(|name| (strsim::damerau_levenshtein(&wanted, &plain(name)), name))
        .filter(|(distance, name)| *distance <= (name.len().min(wanted.len()) / 3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

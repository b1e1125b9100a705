//! The settings of Flyway in a commit that differ from those that the comparison assumes.

use serde::Serialize;

/// The folder of Spring Boot's properties.
pub(super) const FOLDER: &str = "api/src/main/resources";

/// A setting with which Flyway behaves differently than the comparison assumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The file.
    pub file: String,
    /// `spring.flyway.out-of-order`
    pub key: String,
    /// Its value; `None` for a YAML file, which is not parsed.
    pub value: Option<String>,
}

impl Setting {
    /// Whether Flyway may read migrations from another place, so that the comparison does not count.
    pub fn moves_migrations(&self) -> bool {
        self.value.is_none()
            || matches!(relaxed(&self.key).as_str(), "locations" | "resourceproviderclassname")
    }
}

/// Whether a setting has no influence on the order and content of the migrations, or has Flyway's default value.
fn is_expected(key: &str, value: &str) -> bool {
    let value = value.trim();
    match key {
        "enabled"
        | "user"
        | "password"
        | "url"
        | "driverclassname"
        | "defaultschema"
        | "schemas"
        | "createschemas"
        | "connectretries"
        | "connectretriesinterval"
        | "lockretrycount"
        | "installedby" => true,
        "locations" => matches!(value, "classpath:db/migration" | "classpath:/db/migration"),
        "outoforder"
        | "ignoremissingmigrations"
        | "skipdefaultcallbacks"
        | "baselineonmigrate"
        | "group"
        | "mixed" => value == "false",
        "validateonmigrate" | "cleandisabled" | "placeholderreplacement" => value == "true",
        "encoding" => value.eq_ignore_ascii_case("utf-8"),
        _ => false,
    }
}

/// The name of a setting without its prefix, in the form in which Spring's relaxed binding compares names.
fn relaxed(key: &str) -> String {
    let key: String = key.chars().filter(|char| !matches!(char, '-' | '_')).collect();
    key.to_lowercase().trim_start_matches("spring.flyway.").to_owned()
}

/// Whether the file is a Spring properties file for a profile that a deployment may use.
pub(super) fn is_properties(path: &str) -> bool {
    let inside = path.strip_prefix("config/").unwrap_or(path);
    let Some((stem, kind)) = inside.rsplit_once('.') else { return false };
    let profile = match stem.strip_prefix("application") {
        Some("") => "",
        Some(rest) if rest.starts_with('-') => &rest[1..],
        _ => return false,
    };
    matches!(kind, "properties" | "yml" | "yaml")
        && !inside.contains('/')
        && !matches!(profile, "dev" | "test" | "local")
}

/// The settings of one file that differ from those that the comparison assumes.
pub(super) fn read(file: &str, content: &str) -> Vec<Setting> {
    let found = |key: &str, value: Option<&str>| Setting {
        file: file.to_owned(),
        key: key.to_owned(),
        value: value.map(str::to_owned),
    };
    if !file.ends_with(".properties") {
        let mentions =
            content.lines().any(|line| !line.trim_start().starts_with('#') && line.contains("flyway"));
        return if mentions { vec![found("spring.flyway", None)] } else { Vec::new() };
    }
    let joined = content.replace("\\\r\n", "").replace("\\\n", "");
    joined
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with(['#', '!']))
        .filter_map(|line| {
            let end = line.find(['=', ':', ' ', '\t']).unwrap_or(line.len());
            let (key, value) = line.split_at(end);
            let value = value.trim_start_matches(['=', ':', ' ', '\t']).trim();
            let is_flyway = key.to_lowercase().starts_with("spring.flyway.");
            (is_flyway && !is_expected(&relaxed(key), value)).then(|| found(key, Some(value)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn osmts_own_settings_are_expected_and_others_are_reported() {
        let own = "# Flywaydb\nspring.flyway.enabled=false\nspring.flyway.user=${db.user}\nspring.flyway.default-schema=${db.name}\n\
            spring.flyway.locations=classpath:db/migration\nspring.flyway.url=${db.composedUrl}\nserver.port=1";
        assert_eq!(read("application.properties", own), []);
        let odd = "spring.flyway.outOfOrder : true\n!spring.flyway.group=true\nspring.flyway.locations=classpath:db/migration,\\\n  classpath:other";
        let keys: Vec<String> = read("application.properties", odd).into_iter().map(|one| one.key).collect();
        assert_eq!(keys, ["spring.flyway.outOfOrder", "spring.flyway.locations"]);
        assert!(read("application.yml", "spring:\n  flyway:\n    out-of-order: true")[0].moves_migrations());
        assert_eq!(read("application.yml", "spring:\n  # flyway\n"), []);
    }

    #[test]
    fn files_of_development_and_tests_do_not_count() {
        for path in ["application.properties", "config/application-review.properties", "application.yaml"] {
            assert!(is_properties(path), "{path}");
        }
        for path in [
            "config/application-dev.properties",
            "application-test.yml",
            "ui/application.properties",
            "x.properties",
            "application.md",
            "applications.yml",
        ] {
            assert!(!is_properties(path), "{path}");
        }
    }
}

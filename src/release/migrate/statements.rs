//! SQL that Flyway runs on its connection before it migrates (`spring.flyway.init-sqls`): it removes failed entries from Flyway's
//! history, prints that history into the log, and searches for rows that a migration would fail on.
//!
//! Every statement can run on an empty database and more than once: Flyway opens several connections.

use crate::release::migrations::{HISTORY, Migrations};

/// The prefix of the preflight's findings in the log.
pub const PREFLIGHT: &str = "OSMT preflight: ";
/// The prefix of the environment variables for `spring.flyway.init-sqls[n]`.
const INIT: &str = "SPRING_FLYWAY_INITSQLS_";

/// One check of the preflight: the column that must exist for it, and the query for the ids of the rows.
struct Check {
    /// The migration that would fail.
    migration: &'static str,
    /// Table, column and, if the migration narrows it, the new length: the check runs only while the column is longer.
    column: (&'static str, &'static str, u32),
    /// What the ids belong to.
    what: &'static str,
    /// The query for the rows.
    rows: &'static str,
}

/// The migrations of 3.0.0 that can fail on data: 2023.02.20 and 2023.03.07 insert pairs that may exist (error 1062), and
/// 2023.07.05 narrows three columns to 767 characters (error 1406).
const CHECKS: [Check; 6] = [
    Check {
        migration: "2023.02.20",
        column: ("RichSkillDescriptor", "author_id", 0),
        what: "skill",
        rows: "SELECT d.id FROM RichSkillDescriptor d JOIN RichSkillKeywords k ON k.richskill_id = d.id AND k.keyword_id = d.author_id",
    },
    Check {
        migration: "2023.03.07",
        column: ("RichSkillDescriptor", "cat_id", 0),
        what: "skill",
        rows: "SELECT d.id FROM RichSkillDescriptor d JOIN RichSkillKeywords k ON k.richskill_id = d.id AND k.keyword_id = d.cat_id",
    },
    Check {
        migration: "2023.03.07",
        column: ("RichSkillDescriptor", "author_id", 0),
        what: "skill",
        rows: "SELECT d.id FROM RichSkillDescriptor d WHERE d.cat_id = d.author_id",
    },
    Check {
        migration: "2023.07.05",
        column: ("Keyword", "value", 767),
        what: "Keyword.value",
        rows: "SELECT d.id FROM Keyword d WHERE CHAR_LENGTH(d.value) > 767",
    },
    Check {
        migration: "2023.07.05",
        column: ("Keyword", "uri", 767),
        what: "Keyword.uri",
        rows: "SELECT d.id FROM Keyword d WHERE CHAR_LENGTH(d.uri) > 767",
    },
    Check {
        migration: "2023.07.05",
        column: ("Keyword", "framework", 767),
        what: "Keyword.framework",
        rows: "SELECT d.id FROM Keyword d WHERE CHAR_LENGTH(d.framework) > 767",
    },
];

/// Statements that fail, with the ids of the rows in the error, if one of these migrations would fail.
///
/// SQL outside of a routine cannot raise an error with its own text. So they execute an unknown statement: MySQL's error quotes it.
pub fn preflight(migrations: &Migrations, schema: &str) -> Vec<String> {
    let has = |check: &&Check| {
        migrations
            .versioned
            .iter()
            .any(|one| one.version.as_ref().is_some_and(|version| version.text == check.migration))
    };
    let mut statements = Vec::new();
    for Check { migration, column: (table, column, length), what, rows } in CHECKS.iter().filter(has) {
        statements.push("SET @osmt_rows = NULL;".to_owned());
        statements.push(format!(
            "SET @osmt = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = '{schema}' \
             AND table_name = '{table}' AND column_name = '{column}' AND COALESCE(character_maximum_length, 1) > {length}) = 1, \
             'SELECT GROUP_CONCAT(found.id ORDER BY found.id) INTO @osmt_rows FROM ({rows} ORDER BY d.id LIMIT 5) found', 'DO 0');"
        ));
        statements.extend(run());
        statements.push(format!(
            "SET @osmt = IF(@osmt_rows IS NULL, 'DO 0', CONCAT('{PREFLIGHT}V{migration}, {what} ', @osmt_rows));"
        ));
        statements.extend(run());
    }
    statements
}

/// Removes failed entries from Flyway's history, as Flyway's `repair` does first, so that Flyway runs these migrations again.
pub fn repair(schema: &str) -> Vec<String> {
    let mut statements = vec![format!(
        "SET @osmt = IF((SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{schema}' AND \
         table_name = 'flyway_schema_history') = 1, 'DELETE FROM {schema}.flyway_schema_history WHERE success = 0', 'DO 0');"
    )];
    statements.extend(run());
    statements
}

/// A migration whose file differs harmlessly from the applied one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realigned {
    /// The version, as in Flyway's history.
    pub version: String,
    /// The applied checksum.
    pub before: i32,
    /// The checksum of the release's file.
    pub after: i32,
}

/// Gives applied migrations the checksums of the release's files, as Flyway's `repair` does, but only if the history has the
/// checksum that was compared. Without this Flyway would refuse every later run, because it keeps the old checksums when it does
/// not validate (seen with OSMT 3.0.0 and 4.0.10).
pub fn realign(schema: &str, migrations: &[Realigned]) -> Vec<String> {
    if migrations.is_empty() {
        return Vec::new();
    }
    let cases: String = migrations
        .iter()
        .map(|one| format!(" WHEN ''{}'' THEN {}", one.version, one.after))
        .collect::<Vec<_>>()
        .concat();
    let pairs: Vec<String> =
        migrations.iter().map(|one| format!("(''{}'', {})", one.version, one.before)).collect();
    let mut statements = vec![format!(
        "SET @osmt = IF((SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{schema}' AND \
         table_name = 'flyway_schema_history') = 1, 'UPDATE {schema}.flyway_schema_history SET checksum = CASE version{cases} \
         ELSE checksum END WHERE (version, checksum) IN ({})', 'DO 0');",
        pairs.join(", ")
    )];
    statements.extend(run());
    statements
}

/// Prints Flyway's history into the log, one line for each row and one with their number.
///
/// Flyway's community edition does not print what a query returns, but it prints every warning of the server: a text that is
/// cast to a number is quoted in one. (Seen with Flyway 8.5.13 of OSMT 3.0.0 and 4.0.10 on MySQL 9.7.4.) Neither the image
/// nor the jar contains a MySQL client or Flyway's command line.
pub fn history(schema: &str) -> Vec<String> {
    let table = format!("{schema}.flyway_schema_history");
    let mut statements = vec![format!(
        "SET @osmt = IF((SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{schema}' AND \
         table_name = 'flyway_schema_history') = 1, 'DO (SELECT SUM(CAST(CONCAT(''{HISTORY}'', installed_rank, '' '', success, \
         '' '', COALESCE(checksum, ''-''), '' '', type, '' '', COALESCE(version, ''-''), '' '', script) AS SIGNED)) FROM {table}), \
         CAST(CONCAT(''{HISTORY}end '', (SELECT COUNT(*) FROM {table})) AS SIGNED)', 'DO CAST(''{HISTORY}end 0'' AS SIGNED)');"
    )];
    statements.extend(run());
    statements
}

fn run() -> [String; 3] {
    ["PREPARE osmt FROM @osmt;", "EXECUTE osmt;", "DEALLOCATE PREPARE osmt;"].map(str::to_owned)
}

/// The statements as an environment variable, numbered after those of the task definition: Spring needs a list without gaps. All
/// statements are one element, because ECS accepts 8,192 characters of overrides (Amazon ECS API Reference, `RunTask`).
pub fn environment<'a>(
    statements: &[String],
    existing: impl Iterator<Item = &'a str>,
) -> Option<(String, String)> {
    let index = existing.filter(|name| name.starts_with(INIT)).count();
    (!statements.is_empty()).then(|| (format!("{INIT}{index}_"), statements.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::migrations::Content;

    #[test]
    fn statements_follow_those_of_the_task_definition() {
        let existing = ["SPRING_FLYWAY_INITSQLS_0_", "DB_NAME", "SPRING_FLYWAY_INITSQLS_1_"];
        let environment = environment(&repair("osmt_db"), existing.into_iter());
        let (name, statements) = environment.unwrap();
        assert_eq!((name.as_str(), statements.matches(';').count()), ("SPRING_FLYWAY_INITSQLS_2_", 4));
    }

    #[test]
    fn the_longest_overrides_fit_into_the_limit_of_ecs() {
        let files = ["V2023.02.20__a.sql", "V2023.03.07__b.sql", "V2023.07.05__c.sql"];
        let files = files.map(|file| (file, Content::Bytes(b"")));
        let schema = "a_name_of_sixty_four_characters_is_the_longest_that_mysql_takes_";
        let eleven = (1..=11).map(|day| Realigned {
            version: format!("2023.01.{day:02}"),
            before: -2_134_506_806,
            after: -2_134_506_805,
        });
        let all = [
            repair(schema),
            realign(schema, &eleven.collect::<Vec<_>>()),
            history(schema),
            preflight(&Migrations::from_files(files), schema),
        ];
        let (name, value) = environment(&all.concat(), std::iter::empty()).unwrap();
        let overrides = serde_json::json!({ "containerOverrides": [{ "name": "maintenance", "command": ["import", "reindex"],
            "environment": [{ "name": name, "value": value }, { "name": "SPRING_FLYWAY_VALIDATE_ON_MIGRATE", "value": "false" },
                { "name": "SPRING_FLYWAY_OUTOFORDER", "value": "true" }] }] });
        let length = overrides.to_string().len();
        assert!(length < 8192, "{length}");
    }

    #[test]
    fn the_preflight_checks_only_migrations_of_the_release() {
        let none = [("V2020.09.15__first.sql", Content::Bytes(b""))];
        assert!(preflight(&Migrations::from_files(none), "osmt_db").is_empty());
        let narrow = [("V2023.07.05__alter.sql", Content::Bytes(b""))];
        assert_eq!(preflight(&Migrations::from_files(narrow), "osmt_db").len(), 3 * 9);
    }
}

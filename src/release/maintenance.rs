//! What the logs of the maintenance tasks say about the database and the search index.

use jiff::Timestamp;

use super::migrations::{Comparison, Migrations, Obstacle};
use super::sql::Class;
use super::status::{Link, Source, Verdict, link};
use crate::account::Known;

const DATABASE: &str = "database";

/// Whether the database has the migrations of the selected release: according to Flyway's history table if one was printed,
/// otherwise according to `version`, the schema version that Flyway logged last.
pub fn database(source: &Source, applied: &Known<Applied>, version: &Known<Option<String>>) -> Link {
    match (applied, &source.migrations) {
        (Known::Known(applied), Some(migrations)) => compared(applied, migrations),
        (Known::Known(applied), None) if applied.failed.is_empty() => {
            let found = format!("{}; the selected commit is not known", applied.summary());
            link(DATABASE, Verdict::Unknown, found)
        }
        (Known::Known(applied), None) => failed(applied),
        (Known::Unknown(reason), _) => by_version(source, version, reason),
    }
}

/// Flyway's history table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// `Flyway's history of …`
    pub label: String,
    /// The applied migrations.
    pub migrations: Migrations,
    /// The migrations that failed half-way.
    pub failed: Vec<String>,
}

impl Applied {
    fn summary(&self) -> String {
        let count = self.migrations.versioned.len();
        match self.migrations.newest() {
            Some(newest) => format!("at {} with {count} migrations ({})", newest.text, self.label),
            None => format!("without migrations ({})", self.label),
        }
    }
}

fn failed(applied: &Applied) -> Link {
    Link {
        help: Some("docs/release.md, \"A migration that failed\""),
        ..link(
            DATABASE,
            Verdict::Differs,
            format!("{} failed half-way ({})", applied.failed.join(", "), applied.label),
        )
    }
}

fn compared(applied: &Applied, selected: &Migrations) -> Link {
    if !applied.failed.is_empty() {
        return failed(applied);
    }
    let found = Comparison::new(&applied.migrations, selected);
    let refused: Vec<String> = found
        .obstacles()
        .into_iter()
        .filter(|(what, _)| *what != Obstacle::Ahead)
        .map(|(what, file)| format!("{file} is {what}"))
        .collect();
    if !refused.is_empty() {
        let found = format!("{}; Flyway would refuse: {}", applied.summary(), refused.join(", "));
        return Link {
            help: Some("`osmt-release check --live` shows what to do about each"),
            ..link(DATABASE, Verdict::Differs, found)
        };
    }
    let pending: Vec<&str> = found.pending().iter().map(|one| one.file.as_str()).collect();
    if !pending.is_empty() {
        let found = format!("{}; pending: {}", applied.summary(), pending.join(", "));
        return Link {
            help: Some("`osmt-release migrate` applies what is pending"),
            ..link(DATABASE, Verdict::Differs, found)
        };
    }
    if found.ahead.is_empty() {
        return link(DATABASE, Verdict::Agrees, applied.summary());
    }
    // After an allowed rollback the older release runs on the newer schema.
    let ahead: Vec<String> =
        found.ahead.iter().map(|one| format!("{} ({})", one.file, one.class.name())).collect();
    let found_text =
        format!("{}; the selected release does not have {}", applied.summary(), ahead.join(", "));
    if found.ahead.iter().all(|one| one.class < Class::Breaking) {
        return link(DATABASE, Verdict::Agrees, found_text);
    }
    Link {
        help: Some("restore a snapshot from before, or select a release that has them"),
        ..link(DATABASE, Verdict::Differs, found_text)
    }
}

fn by_version(source: &Source, version: &Known<Option<String>>, why: &str) -> Link {
    let version = match version {
        Known::Known(Some(version)) => version,
        Known::Known(None) => return link(DATABASE, Verdict::Unknown, why.to_owned()),
        Known::Unknown(reason) => return link(DATABASE, Verdict::Unknown, reason.clone()),
    };
    let newest = source.migrations.as_ref().map(|all| all.newest().map_or("", |newest| newest.text.as_str()));
    match newest {
        Some(newest) if newest == version => {
            link(DATABASE, Verdict::Agrees, format!("at {version}, according to Flyway's newest log"))
        }
        Some(newest) => Link {
            help: Some("`osmt-release migrate` applies what is pending"),
            ..link(DATABASE, Verdict::Differs, format!("at {version}, but the selected release has {newest}"))
        },
        None => link(DATABASE, Verdict::Unknown, format!("at {version}; the selected commit is not known")),
    }
}

/// Whether the search index was built after the last migration. Elasticsearch cannot be reached from outside of the VPC, so only
/// the logs show it.
pub fn search(times: &Known<(Option<Timestamp>, Option<Timestamp>)>) -> Link {
    const NAME: &str = "search index";
    let shown = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    match times {
        Known::Known((None, _)) => link(NAME, Verdict::Unknown, "no log of a reindex was found".into()),
        Known::Known((Some(built), Some(migrated))) if migrated > built => Link {
            help: Some("`osmt-release migrate --step reindex` builds it again"),
            ..link(
                NAME,
                Verdict::Differs,
                format!("built {}, before the migration of {}", shown(built), shown(migrated)),
            )
        },
        Known::Known((Some(built), _)) => link(NAME, Verdict::Agrees, format!("built {}", shown(built))),
        Known::Unknown(reason) => link(NAME, Verdict::Unknown, reason.clone()),
    }
}

/// Whether the four indices exist with OSMT's mappings, according to the newest container log. If Elasticsearch guessed the
/// mappings, searches answer 500 while `/health` is UP.
pub fn mappings(state: &Known<Option<(Timestamp, String)>>) -> Link {
    const NAME: &str = "search mappings";
    let (at, state) = match state {
        Known::Known(Some(state)) => state,
        Known::Known(None) => {
            let found = "no container log shows the state of the search indices";
            return link(NAME, Verdict::Unknown, found.into());
        }
        Known::Unknown(reason) => return link(NAME, Verdict::Unknown, reason.clone()),
    };
    let at = at.strftime("%Y-%m-%d %H:%M UTC");
    if state == "ok" {
        return link(NAME, Verdict::Agrees, format!("as OSMT creates them ({at})"));
    }
    match state.strip_prefix("not ok: ") {
        Some(fault) => Link {
            help: Some(
                "`osmt-release migrate --step reindex` deletes the indices and builds them again; until then searches answer errors",
            ),
            ..link(NAME, Verdict::Differs, format!("{fault} ({at})"))
        },
        None => link(NAME, Verdict::Unknown, format!("{state} ({at})")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::migrations::Content;
    use super::*;

    #[test]
    fn guessed_mappings_differ_and_unread_ones_are_unknown() {
        let at = Timestamp::from_second(0).unwrap();
        let of = |state: &str| mappings(&Known::Known(Some((at, state.to_owned()))));
        assert_eq!(of("ok").verdict, Verdict::Agrees);
        let guessed = of("not ok: guessed mappings richskill_v1");
        assert_eq!(guessed.verdict, Verdict::Differs);
        assert_eq!(guessed.found, "guessed mappings richskill_v1 (1970-01-01 00:00 UTC)");
        assert!(guessed.help.is_some_and(|help| help.contains("--step reindex")));
        assert_eq!(of("not known: Elasticsearch answers 503 to /keyword/_mapping").verdict, Verdict::Unknown);
        assert_eq!(mappings(&Known::Known(None)).verdict, Verdict::Unknown);
        assert_eq!(mappings(&Known::Unknown("denied".into())).verdict, Verdict::Unknown);
    }

    fn source(migrations: Option<Migrations>) -> Source {
        Source {
            commit: Known::Unknown("no checkout".into()),
            label: String::new(),
            record: Known::Unknown("no checkout".into()),
            migrations,
        }
    }

    fn set(files: &[(&str, &str)]) -> Migrations {
        Migrations::from_files(files.iter().map(|(file, sql)| (*file, Content::Bytes(sql.as_bytes()))))
    }

    #[test]
    fn without_flyways_table_the_logged_version_counts() {
        let source = source(Some(set(&[("V2023.07.05__a.sql", "")])));
        let unknown = Known::Unknown("nothing was printed".to_owned());
        let of = |version: Option<&str>| {
            database(&source, &unknown, &Known::Known(version.map(str::to_owned))).verdict
        };
        assert_eq!(of(Some("2023.07.05")), Verdict::Agrees);
        assert_eq!(of(Some("2023.03.22")), Verdict::Differs);
        assert_eq!(of(None), Verdict::Unknown);
        assert_eq!(database(&source, &unknown, &Known::Unknown("denied".into())).verdict, Verdict::Unknown);
    }

    #[test]
    fn flyways_table_is_compared_file_by_file() {
        let (a, b) = (("V1__a.sql", "CREATE TABLE a (b INT);"), ("V2__b.sql", "CREATE TABLE b (b INT);"));
        let selected = source(Some(set(&[a, b])));
        let of = |files: &[(&str, &str)], failed: &[&str]| {
            let failed = failed.iter().map(|file| (*file).to_owned()).collect();
            let applied = Applied { label: "history".into(), migrations: set(files), failed };
            database(&selected, &Known::Known(applied), &Known::Known(None))
        };
        assert_eq!(of(&[a, b], &[]).verdict, Verdict::Agrees);
        for (files, failed, word) in [
            (&[a][..], &[][..], "pending: V2__b.sql"),
            (&[a, b], &["V3__c.sql"], "V3__c.sql failed half-way"),
            (&[("V1__a.sql", "other"), b], &[], "V1__a.sql is changed"),
            (&[b], &[], "V1__a.sql is out of order"),
            (&[a, b, ("V3__c.sql", "DROP TABLE a;")], &[], "does not have V3__c.sql (destructive)"),
        ] {
            let link = of(files, failed);
            assert_eq!(link.verdict, Verdict::Differs, "{word}");
            assert!(link.found.contains(word) && link.help.is_some(), "{}", link.found);
        }
        let back = of(&[a, b, ("V3__c.sql", "CREATE TABLE c (b INT);")], &[]);
        assert_eq!(back.verdict, Verdict::Agrees, "a rollback that was allowed");
        let nothing = source(None);
        let applied = Applied { migrations: set(&[a]), ..Applied::default() };
        assert_eq!(database(&nothing, &Known::Known(applied), &Known::Known(None)).verdict, Verdict::Unknown);
    }

    #[test]
    fn an_index_that_is_older_than_the_tables_differs() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let of = |built: Option<i64>, migrated: Option<i64>| {
            search(&Known::Known((built.map(at), migrated.map(at)))).verdict
        };
        assert_eq!(of(Some(2), Some(1)), Verdict::Agrees);
        assert_eq!(of(Some(2), None), Verdict::Agrees);
        assert_eq!(of(Some(1), Some(2)), Verdict::Differs);
        assert_eq!(of(None, Some(2)), Verdict::Unknown);
        assert_eq!(search(&Known::Unknown("denied".into())).verdict, Verdict::Unknown);
    }
}

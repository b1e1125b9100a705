//! What the logs of the maintenance tasks say about the database and the search index.

use jiff::Timestamp;

use super::status::{Link, Source, Verdict, link};
use crate::account::Known;

/// Whether the database has the newest migration of the selected release; `version` is Flyway's own word for where it is.
pub fn database(source: &Source, version: &Known<Option<String>>) -> Link {
    const NAME: &str = "database";
    let version = match version {
        Known::Known(Some(version)) => version,
        Known::Known(None) => {
            let found = "no log of a migration is kept";
            return link(NAME, Verdict::Unknown, found.into());
        }
        Known::Unknown(reason) => return link(NAME, Verdict::Unknown, reason.clone()),
    };
    match &source.newest_migration {
        Some(newest) if newest == version => link(NAME, Verdict::Agrees, format!("at {version}")),
        Some(newest) => Link {
            help: Some("`osmt-release migrate` applies what is pending"),
            ..link(NAME, Verdict::Differs, format!("at {version}, the selected release has {newest}"))
        },
        None => link(NAME, Verdict::Unknown, format!("at {version}; the selected commit is not known")),
    }
}

/// Whether the search index was built since the last migration. Elasticsearch itself cannot be asked from outside of the VPC, so
/// what it holds now is not seen.
pub fn search(times: &Known<(Option<Timestamp>, Option<Timestamp>)>) -> Link {
    const NAME: &str = "search index";
    let shown = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    match times {
        Known::Known((None, _)) => link(NAME, Verdict::Unknown, "no log of a reindex is kept".into()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_was_not_migrated_differs() {
        let source = Source {
            commit: Known::Unknown("no checkout".into()),
            label: String::new(),
            record: Known::Unknown("no checkout".into()),
            newest_migration: Some("2023.07.05".into()),
        };
        let of = |version: Option<&str>| database(&source, &Known::Known(version.map(str::to_owned))).verdict;
        assert_eq!(of(Some("2023.07.05")), Verdict::Agrees);
        assert_eq!(of(Some("2023.03.22")), Verdict::Differs);
        assert_eq!(of(None), Verdict::Unknown);
        assert_eq!(database(&source, &Known::Unknown("denied".into())).verdict, Verdict::Unknown);
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

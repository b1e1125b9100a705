//! What a commit's own files say about the services that it is developed with and the content of its image.

use crate::git;
use crate::git::Repository;

/// OSMT's Compose files for development: 1.x to 3.x, and 4.x.
const STACKS: [&str; 2] = ["docker/dev-stack.yml", "docker-compose.yml"];
/// OSMT's Dockerfiles: 1.x to 3.x, and 4.x.
const BUILDS: [&str; 2] = ["Dockerfile", "api/Dockerfile"];

/// What a commit's own files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Companions {
    /// The version of Elasticsearch in its Compose file.
    pub elasticsearch: Option<String>,
    /// Whether its image contains the lists of job codes that `migrate` imports; `None` without a Dockerfile.
    pub import_lists: Option<bool>,
}

impl Companions {
    /// Reads them from a commit.
    pub fn read(repository: &Repository, commit: &str) -> Result<Self, git::Error> {
        let text = |path: &str| -> Result<Option<String>, git::Error> {
            let file = repository.file(commit, path)?;
            Ok(file.map(|file| String::from_utf8_lossy(&file).into_owned()))
        };
        let mut found = Self::default();
        for path in STACKS {
            if let Some(stack) = text(path)?.filter(|_| found.elasticsearch.is_none()) {
                found.elasticsearch = elasticsearch(&stack);
            }
        }
        for path in BUILDS {
            if let Some(build) = text(path)? {
                found.import_lists = Some(found.import_lists == Some(true) || copies_lists(&build));
            }
        }
        Ok(found)
    }
}

/// The version in `image: docker.elastic.co/elasticsearch/elasticsearch:8.11.3`.
fn elasticsearch(stack: &str) -> Option<String> {
    stack.lines().find_map(|line| {
        let image = line.trim().strip_prefix("image:")?.trim().trim_matches(['"', '\'']);
        let (name, tag) = image.rsplit_once(':')?;
        let is_version = tag.starts_with(|char: char| char.is_ascii_digit());
        (name.ends_with("elasticsearch") && is_version).then(|| tag.to_owned())
    })
}

/// Whether the last stage copies `import/`: `COPY … ./import ${BASE_DIR}/import/`.
fn copies_lists(build: &str) -> bool {
    let last = build.rfind("\nFROM ").map_or(build, |at| &build[at..]);
    last.lines().any(|line| {
        let mut words = line.split_whitespace();
        let copies = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("COPY") || word.eq_ignore_ascii_case("ADD"));
        copies && words.any(|word| word.trim_end_matches('/').trim_start_matches("./") == "import")
    })
}

/// The first number of a version.
pub fn major(version: &str) -> Option<u64> {
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_and_the_lists_are_found_in_osmts_own_files() {
        let stack = "services:\n  db:\n    image: library/mysql:8.0\n  elasticsearch:\n    image: docker.elastic.co/elasticsearch/elasticsearch:8.11.3\n";
        assert_eq!(elasticsearch(stack).as_deref(), Some("8.11.3"));
        assert_eq!(elasticsearch("image: elasticsearch:${VERSION}"), None);
        let build = "FROM a AS build\nCOPY ./ build/\nFROM b\nCOPY --chown=u:u ./import ${BASE_DIR}/import/\nADD ./docker/ /x/\n";
        assert!(copies_lists(build));
        assert!(!copies_lists("FROM a\nCOPY ./import x/\nFROM b\nCOPY --from=build a.jar osmt.jar\n"));
        assert_eq!((major("8.11.3"), major("7"), major("latest")), (Some(8), Some(7), None));
    }
}

//! Reads the names of the state's backend back from `main.tf`. Pure.
//!
//! Knows the block as `init` renders it: one literal setting a line. Anything else counts as not said, and the names
//! of the contract are used.

/// What `main.tf` says of the S3 backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backend {
    /// `bucket`
    pub bucket: Option<String>,
    /// `key`
    pub key: Option<String>,
    /// `dynamodb_table`
    pub lock_table: Option<String>,
    /// `use_lockfile`
    pub use_lockfile: bool,
}

/// Reads the backend's block out of the text of `main.tf`.
pub fn read(text: &str) -> Backend {
    let mut backend = Backend::default();
    let block = text
        .lines()
        .map(str::trim)
        .skip_while(|line| !(line.starts_with("backend \"s3\"") && line.ends_with('{')))
        .skip(1)
        .take_while(|line| *line != "}");
    for line in block {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let value = value.split(" #").next().unwrap_or_default().trim();
        let literal = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .filter(|value| !value.contains("${") && !value.is_empty())
            .map(str::to_owned);
        match name.trim() {
            "bucket" => backend.bucket = literal,
            "key" => backend.key = literal,
            "dynamodb_table" => backend.lock_table = literal,
            "use_lockfile" => backend.use_lockfile = value == "true",
            _ => {}
        }
    }
    backend
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_init_renders() {
        let backend = read(
            "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key            = \"k\" # where\n    # dynamodb_table = \"old\"\n    dynamodb_table = \"t\"\n  }\n}\nbucket = \"other\"\n",
        );
        assert_eq!(
            backend,
            Backend {
                bucket: Some("b".into()),
                key: Some("k".into()),
                lock_table: Some("t".into()),
                use_lockfile: false,
            }
        );
        assert!(read("backend \"s3\" {\n use_lockfile = true\n}").use_lockfile);
        assert_eq!(read("backend \"local\" {}"), Backend::default());
    }
}

//! A commit of OSMT that is to be selected: a repository, a config, and what is known of the image and the database.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use osmt::account::Known;
use osmt::registry::{Image, Platform};
use osmt::release::database::Database;
use osmt::release::guards::{GUARDS, judge as judged_by_guards};
use osmt::release::migrations::{FOLDER, Row};
use osmt::release::{Candidate, From, Osmt, Request, Wanted};
use serde::Deserialize;
use serde_json::Value;

use crate::Kind;
use crate::account::{config, file};
use crate::config::parsed;
use crate::judged::{File, Judged};
use crate::support::{Folder, git, git_with, write};

pub(crate) const KIND: Kind = Kind { name: "release", codes, base, judge };

/// What is judged: the base is OSMT's history in small, and its newest release.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    commits: Vec<Commit>,
    /// How many of the commits a remote has; without, there is no remote.
    pushed: Option<usize>,
    /// What was deployed, from the oldest to the newest.
    records: Vec<Deployed>,
    /// Files as they are in the working tree, where they differ from the newest commit.
    tree: BTreeMap<String, String>,
    /// Of `tests/support`, unless it is given.
    config: Value,
    /// A revision; `HEAD` and `--latest` are special.
    select: String,
    tag: Option<String>,
    /// A revision, or `none`.
    from: Option<String>,
    image: Known<Option<Described>>,
    /// The rows of Flyway's table, where the database is asked.
    database: Option<Vec<Applied>>,
}

/// A commit, as what it changes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Commit {
    /// In `pom.xml`.
    version: Option<String>,
    /// Below the folder of migrations; `null` removes.
    #[serde(default)]
    migrations: BTreeMap<String, Option<Content>>,
    #[serde(default)]
    files: BTreeMap<String, Option<Content>>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Content {
    Text(String),
    Latin1 { latin1: String },
    Link { link: String },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deployed {
    rev: String,
    #[serde(default)]
    tag: Option<String>,
    #[serde(default)]
    restored: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    /// `linux/amd64`
    platforms: Vec<String>,
    revision: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Applied {
    script: String,
    version: Option<String>,
    checksum: Option<i32>,
    #[serde(default)]
    failed: bool,
}

fn codes() -> Vec<String> {
    GUARDS.iter().map(|guard| format!("{}-{}", guard.rule.code, guard.rule.name)).collect()
}

fn base(name: &str) -> Value {
    let mut base = parsed(name);
    base["config"] = config();
    base
}

fn judge(text: &str) -> Judged {
    let input: Input = serde_json::from_str(text).unwrap();
    let osmt = checkout(&input);
    let (document, config) = file(&input.config);
    let request = Request {
        wanted: match input.select.as_str() {
            "HEAD" => Wanted::Head,
            "--latest" => Wanted::Latest,
            rev => Wanted::Rev(rev.to_owned()),
        },
        tag: input.tag,
        from: input.from.map(|from| if from == "none" { From::Nothing } else { From::Rev(from) }),
    };
    let mut candidate = Candidate::observe(&osmt, &config, &request).unwrap();
    candidate.image = match input.image {
        Known::Known(described) => {
            Known::Known(described.map(|image| described_as(image, &candidate.platform)))
        }
        Known::Unknown(reason) => Known::Unknown(reason),
    };
    if let Some(rows) = input.database {
        let rows = rows.into_iter().zip(1..).map(|(row, rank)| row.row(rank)).collect();
        let database = Database { at: "2026-01-02T03:04:00Z".parse().unwrap(), rows };
        candidate.with_database(&osmt, &Known::Known(database)).unwrap();
    }
    Judged::of_one(judged_by_guards(&candidate, &[]), File::Parsed(document))
}

/// The checkout of a case; cases with the same history share one.
fn checkout(input: &Input) -> Osmt {
    thread_local! {
        static MADE: RefCell<HashMap<String, (Folder, Osmt)>> = RefCell::default();
    }
    let key =
        format!("{:?}", (&input.commits, input.pushed, &input.records, &input.tree, input.select == "HEAD"));
    MADE.with_borrow_mut(|made| {
        let (_, osmt) = made.entry(key).or_insert_with(|| {
            let folder = Folder::empty();
            make(folder.path(), input);
            let osmt = Osmt::open(folder.path()).unwrap();
            (folder, osmt)
        });
        osmt.clone()
    })
}

fn described_as(image: Described, wanted: &Platform) -> Image {
    let platform = |name: &String| {
        let (os, architecture) = name.split_once('/').unwrap();
        Platform { os: os.to_owned(), architecture: architecture.to_owned() }
    };
    let platforms: Vec<Platform> = image.platforms.iter().map(platform).collect();
    let digest = "sha256:00".to_owned();
    let manifest = platforms.contains(wanted).then(|| digest.clone());
    Image { digest, platforms, manifest, revision: image.revision }
}

impl Applied {
    fn row(self, rank: u64) -> Row {
        let kind = "SQL".to_owned();
        Row {
            rank,
            success: !self.failed,
            checksum: self.checksum,
            kind,
            version: self.version,
            script: self.script,
        }
    }
}

const WHO: &str = "Ada <ada@example.org> 1767323045 +0000";

/// Makes the repository in one run of `git fast-import`; records and the working tree need git's other commands.
fn make(folder: &Path, input: &Input) {
    git(folder, &["init", "--quiet", "--initial-branch=develop"]);
    let mut stream = Vec::new();
    for (number, commit) in input.commits.iter().enumerate() {
        commit.write(&mut stream);
        if input.pushed == Some(number + 1) {
            stream.extend(b"reset refs/remotes/origin/develop\nfrom refs/heads/develop\n\n");
        }
    }
    git_with(folder, &["fast-import", "--quiet"], &stream);
    if input.pushed.is_some() {
        git(folder, &["remote", "add", "origin", "https://git.example.org/osmt"]);
    }
    for (day, record) in input.records.iter().enumerate() {
        let commit = git(folder, &["rev-parse", &format!("{}^{{commit}}", record.rev)]);
        let tag = record.tag.as_ref().unwrap_or(&record.rev);
        let restored = if record.restored { "\ndatabase: restored" } else { "" };
        let message = format!(
            "Deploy OSMT\n\ncommit: {commit}\nversion: {}\nimage: wguopensource/osmt-app:{tag}\ndigest: unknown\n\
             account: 123456789012\nregion: us-west-2{restored}\n",
            record.rev
        );
        let name = format!("osmt/test/2026-01-{:02}T000000Z", day + 1);
        git(folder, &["tag", "--annotate", "--message", &message, &name, &commit]);
    }
    if input.select == "HEAD" || !input.tree.is_empty() {
        git(folder, &["reset", "--quiet", "--hard"]);
    }
    for (path, content) in &input.tree {
        write(&folder.join(path), content);
    }
}

impl Commit {
    fn write(&self, stream: &mut Vec<u8>) {
        stream.extend(format!("commit refs/heads/develop\ncommitter {WHO}\ndata 0\n\n").bytes());
        if let Some(version) = &self.version {
            let pom =
                format!("<project><artifactId>osmt</artifactId><version>{version}</version></project>\n");
            Content::Text(pom).write("pom.xml", stream);
        }
        let migrations = self.migrations.iter().map(|(file, content)| (format!("{FOLDER}/{file}"), content));
        let files = self.files.iter().map(|(path, content)| (path.clone(), content));
        for (path, content) in migrations.chain(files) {
            match content {
                Some(content) => content.write(&path, stream),
                None => stream.extend(format!("D {path}\n").bytes()),
            }
        }
        for tag in &self.tags {
            let tag = format!("tag {tag}\nfrom refs/heads/develop\ntagger {WHO}\ndata 9\na release\n");
            stream.extend(tag.bytes());
        }
    }
}

impl Content {
    fn write(&self, path: &str, stream: &mut Vec<u8>) {
        let (mode, bytes) = match self {
            Self::Text(text) => ("100644", text.clone().into_bytes()),
            Self::Latin1 { latin1 } => {
                ("100644", latin1.chars().map(|char| u8::try_from(char).unwrap()).collect())
            }
            Self::Link { link } => ("120000", link.clone().into_bytes()),
        };
        stream.extend(format!("M {mode} inline {path}\ndata {}\n", bytes.len()).bytes());
        stream.extend(bytes);
        stream.extend(b"\n");
    }
}

//! Reads a git repository, and creates and pushes tags.
//!
//! It runs the `git` program, which only `program.rs` starts; `docs/decisions/0004-git-by-its-own-program.md` gives the reasons.
//! Nothing here is specific to OSMT.

mod objects;
mod program;
mod settings;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::child;
use objects::Objects;
use program::{Message, Purpose, check_version, command, run, text};
use settings::Override;

pub use objects::{Entry, Kind, Object};
pub use program::{Error, Output};

/// The time limit of a push, hooks included.
const PUSH_LIMIT: Duration = Duration::from_secs(600);

/// A tag that names a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Without `refs/tags/`.
    pub name: String,
    /// The commit, peeled.
    pub commit: String,
    /// When it was created, ISO 8601 with offset; for a lightweight tag, the date of the commit.
    pub date: String,
    /// The full message; for a lightweight tag, the message of the commit.
    pub message: String,
    /// Whether it is a tag object.
    pub annotated: bool,
}

/// The summary of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// The full id.
    pub id: String,
    /// When it was committed, ISO 8601 with offset.
    pub date: String,
    /// The first line of its message.
    pub subject: String,
}

/// The differences between the working tree and the commit that is checked out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Tracked files that were changed, added or removed, or are in conflict.
    pub tracked: Vec<String>,
    /// Untracked files.
    pub untracked: Vec<String>,
}

/// A git repository.
#[derive(Clone)]
pub struct Repository {
    folder: PathBuf,
    /// The settings that read commands override.
    overrides: Vec<Override>,
    /// The process that reads objects, started on first use.
    objects: Arc<Mutex<Option<Objects>>>,
    /// Whether it is a shallow clone.
    pub shallow: bool,
    /// Whether it has no working tree.
    pub bare: bool,
    /// The commit that is checked out; `None` before the first commit.
    pub head: Option<String>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Repository").field(&self.folder).finish()
    }
}

impl Repository {
    /// Opens the repository that contains a folder.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        const WHAT: &str = "open the repository";
        let mut version = command(Path::new("."), Purpose::Read, &[]);
        version.arg("version");
        let version = run(version, "print its version", &[], None)?.expect("print its version")?;
        check_version(&String::from_utf8_lossy(&version))?;
        let mut query = command(folder, Purpose::Read, &[]);
        query.args(["rev-parse", "--is-shallow-repository", "--is-bare-repository"]);
        let output = run(query, WHAT, &[], None)?;
        if output.status != Some(0) {
            let message = Message(output.stderr);
            let folder = folder.to_owned();
            let absolute = std::path::absolute(&folder).unwrap_or_else(|_| folder.clone());
            let exists = absolute.ancestors().any(|folder| folder.join(".git").exists());
            return Err(if exists {
                Error::Refused(folder, message)
            } else {
                Error::NotARepository(folder, message)
            });
        }
        let facts = text(output.stdout);
        let mut facts = facts.lines();
        let mut repository = Self {
            folder: folder.to_owned(),
            overrides: Vec::new(),
            objects: Arc::default(),
            shallow: facts.next() == Some("true"),
            bare: facts.next() == Some("true"),
            head: None,
        };
        let listed = repository.run(&["config", "--show-scope", "-z", "--name-only", "--list"])?;
        repository.overrides = settings::overrides(&text(listed.expect("list its settings")?));
        let head = repository.run(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
        repository.head = (head.status == Some(0)).then(|| text(head.stdout).trim().to_owned());
        Ok(repository)
    }

    /// The folder that was opened.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The commit that is checked out; an error before the first commit.
    pub fn head(&self) -> Result<&str, Error> {
        self.head.as_deref().ok_or_else(|| Error::NoHead(self.folder.clone()))
    }

    /// The id of the commit that a revision names. A revision that begins with a hyphen is not taken for an option.
    pub fn resolve(&self, rev: &str) -> Result<String, Error> {
        // `:/text` cannot be followed by `^{commit}`, which would be part of the text; `HEAD^{/text}` can.
        let rev_peeled = match rev.strip_prefix(":/") {
            Some(text) if !text.is_empty() && !text.contains('}') => format!("HEAD^{{/{text}}}"),
            _ => rev.to_owned(),
        };
        let peeled = format!("{rev_peeled}^{{commit}}");
        let output = self.run(&["rev-parse", "--verify", "--end-of-options", &peeled])?;
        let id = text(output.stdout).trim().to_owned();
        let hex = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if output.status == Some(0) && hex {
            return Ok(id);
        }
        Err(Error::UnknownRevision {
            rev: rev.to_owned(),
            folder: self.folder.clone(),
            shallow: self.shallow,
            source: (!output.stderr.is_empty()).then_some(Message(output.stderr)),
        })
    }

    /// The tags with a prefix (all tags if it is empty) that point to a commit, sorted by name.
    pub fn tags(&self, prefix: &str) -> Result<Vec<Tag>, Error> {
        const FORMAT: &str = "--format=%(refname:strip=2)%00%(objecttype)%00%(objectname)%00\
            %(*objecttype)%00%(*objectname)%00%(creatordate:iso-strict)%00%(contents)%00";
        let pattern = format!("refs/tags/{prefix}");
        let printed = self
            .run(&["for-each-ref", FORMAT, "--", pattern.trim_end_matches('/')])?
            .expect("list the tags")?;
        let printed = text(printed);
        let fields: Vec<&str> = printed.split('\0').collect();
        Ok(fields
            .chunks_exact(7)
            .filter_map(|field| {
                let annotated = field[1] == "tag";
                let (kind, commit) = if annotated { (field[3], field[4]) } else { (field[1], field[2]) };
                (kind == "commit").then(|| Tag {
                    name: field[0].trim_start_matches('\n').to_owned(),
                    commit: commit.to_owned(),
                    date: field[5].to_owned(),
                    message: field[6].to_owned(),
                    annotated,
                })
            })
            .collect())
    }

    /// The newest commits that are reachable from `to` but not from `from`, at most `limit`.
    pub fn log(&self, from: Option<&str>, to: &str, limit: usize) -> Result<Vec<Commit>, Error> {
        let limit = format!("--max-count={limit}");
        let without = from.map(|from| format!("^{from}"));
        let format = "--format=%H%x00%cI%x00%s";
        let mut args = vec!["log", "-z", "--no-show-signature", "--no-notes", format];
        args.extend([limit.as_str(), "--end-of-options", to]);
        args.extend(without.as_deref());
        args.push("--");
        let printed = text(self.run(&args)?.expect("read the history")?);
        let fields: Vec<&str> = printed.split('\0').collect();
        Ok(fields
            .chunks_exact(3)
            .map(|field| Commit {
                id: field[0].to_owned(),
                date: field[1].to_owned(),
                subject: field[2].to_owned(),
            })
            .collect())
    }

    /// The files and symbolic links of a commit at or below a path, sorted by path.
    pub fn files(&self, commit: &str, path: &str) -> Result<Vec<Entry>, Error> {
        self.with_objects(|objects| objects.files(commit, path))
    }

    /// The entries of a folder of a commit; `None` if the folder does not exist.
    pub fn entries(&self, commit: &str, path: &str) -> Result<Option<Vec<Entry>>, Error> {
        self.with_objects(|objects| objects.folder(commit, path))
    }

    /// The content of a file of a commit; `None` if the commit has no such file. It is an error if the commit lists the file but
    /// the repository does not have the content.
    pub fn file(&self, commit: &str, path: &str) -> Result<Option<Vec<u8>>, Error> {
        self.with_objects(|objects| objects.file(commit, path))
    }

    /// An object by its id or by `commit:path`; `None` if it does not exist. In a partial clone git fetches missing objects.
    pub fn object(&self, name: &str) -> Result<Option<Object>, Error> {
        self.with_objects(|objects| objects.object(name))
    }

    fn with_objects<T>(&self, read: impl FnOnce(&mut Objects) -> Result<T, Error>) -> Result<T, Error> {
        let mut slot = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let mut objects = match slot.take() {
            Some(objects) => objects,
            None => Objects::start(command(&self.folder, Purpose::Read, &self.overrides))?,
        };
        let result = read(&mut objects);
        // After an error the process may have ended or may still be printing: the next call starts a new one.
        if result.is_ok() {
            *slot = Some(objects);
        }
        result
    }

    /// The differences between the working tree and the commit that is checked out; none in a bare repository.
    pub fn changes(&self) -> Result<Changes, Error> {
        const WHAT: &str = "compare the working tree";
        let mut changes = Changes::default();
        if self.bare {
            return Ok(changes);
        }
        let index = self.index_without_marks()?;
        let mut status = command(&self.folder, Purpose::Read, &self.overrides);
        status.args(["status", "--porcelain=v1", "-z", "--no-renames"]);
        status.args(["--untracked-files=normal", "--ignore-submodules=none"]);
        if let Some(index) = &index {
            status.env("GIT_INDEX_FILE", index.path());
        }
        let printed = text(run(status, WHAT, &[], None)?.expect(WHAT)?);
        for line in printed.split_terminator('\0') {
            match line.split_at_checked(3) {
                Some(("?? ", path)) => changes.untracked.push(path.to_owned()),
                Some((_, path)) => changes.tracked.push(path.to_owned()),
                None => return Err(Error::UnexpectedOutput(WHAT)),
            }
        }
        Ok(changes)
    }

    /// A copy of the index without the marks "assume unchanged" and "skip worktree", because `git status` does not compare marked
    /// files; `None` if no file is marked. Files that a sparse checkout leaves out keep their mark.
    fn index_without_marks(&self) -> Result<Option<tempfile::NamedTempFile>, Error> {
        const WHAT: &str = "read the index";
        let root = text(self.run(&["rev-parse", "--show-toplevel"])?.expect(WHAT)?);
        let root = Path::new(root.trim_end_matches('\n'));
        let mut list = command(root, Purpose::Read, &self.overrides);
        list.args(["ls-files", "-v", "-z", "--full-name"]);
        let listed = run(list, WHAT, &[], None)?.expect(WHAT)?;
        // Each record is a letter (lower case: assume unchanged; S: skip worktree), a space and a path.
        let (mut assumed, mut skipped) = (Vec::new(), Vec::new());
        for line in listed.split(|byte| *byte == 0) {
            let (Some(mark), Some(path)) = (line.first(), line.get(2..)) else { continue };
            if mark.is_ascii_lowercase() {
                assumed.extend([path, b"\0"].concat());
            }
            if mark.eq_ignore_ascii_case(&b'S') && exists(root, path) {
                skipped.extend([path, b"\0"].concat());
            }
        }
        if assumed.is_empty() && skipped.is_empty() {
            return Ok(None);
        }
        let index = text(self.run(&["rev-parse", "--git-path", "index"])?.expect(WHAT)?);
        let index = self.folder.join(index.trim_end_matches('\n'));
        let copy = tempfile::NamedTempFile::new().map_err(Error::Start)?;
        std::fs::copy(&index, copy.path()).map_err(Error::Start)?;
        for (option, paths) in [("--no-assume-unchanged", &assumed), ("--no-skip-worktree", &skipped)] {
            let mut unmark = command(root, Purpose::Read, &self.overrides);
            unmark.args(["update-index", option, "-z", "--stdin"]);
            unmark.env("GIT_INDEX_FILE", copy.path());
            run(unmark, WHAT, paths, None)?.expect(WHAT)?;
        }
        Ok(Some(copy))
    }

    /// The names of the remotes.
    pub fn remotes(&self) -> Result<Vec<String>, Error> {
        let printed = text(self.run(&["remote"])?.expect("list the remotes")?);
        Ok(printed.lines().map(str::to_owned).collect())
    }

    /// Whether a remote branch, as last fetched, contains the commit.
    pub fn is_pushed(&self, commit: &str) -> Result<bool, Error> {
        let contains = format!("--contains={commit}");
        let args = ["for-each-ref", "--count=1", &contains, "refs/remotes"];
        let printed = self.run(&args)?.expect("find the commit on the remotes")?;
        Ok(!printed.is_empty())
    }

    /// Whether any remote branch was fetched.
    pub fn has_remote_branches(&self) -> Result<bool, Error> {
        let printed =
            self.run(&["for-each-ref", "--count=1", "refs/remotes"])?.expect("list the remote branches")?;
        Ok(!printed.is_empty())
    }

    /// The names of the tags whose commits this commit contains.
    pub fn tags_within(&self, commit: &str) -> Result<Vec<String>, Error> {
        let merged = format!("--merged={commit}");
        let args = ["for-each-ref", &merged, "--format=%(refname:strip=2)", "refs/tags"];
        Ok(text(self.run(&args)?.expect("list the tags of a history")?).lines().map(str::to_owned).collect())
    }

    /// The object id of a tag; `None` if it does not exist.
    pub fn tag_object(&self, name: &str) -> Result<Option<String>, Error> {
        let reference = format!("refs/tags/{name}");
        let output = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &reference])?;
        Ok((output.status == Some(0)).then(|| text(output.stdout).trim().to_owned()))
    }

    /// The object id of a tag in a remote repository; connects to the remote.
    pub fn remote_tag_object(&self, remote: &str, name: &str) -> Result<Option<String>, Error> {
        let reference = format!("refs/tags/{name}");
        let what = format!("ask {remote} for its tags");
        let mut query = command(&self.folder, Purpose::WriteOrRemote, &[]);
        query.args(["ls-remote", "--refs", "--", remote, &reference]);
        let limit = Some(child::interactive_limit());
        let answer = text(run(query, &what, &[], limit)?.expect(&what)?);
        Ok(answer.split_whitespace().next().map(str::to_owned))
    }

    /// Creates an annotated tag, signed if the user's configuration says so.
    pub fn create_tag(&self, name: &str, commit: &str, message: &str) -> Result<(), Error> {
        let what = format!("create the tag {name}");
        let mut tag = command(&self.folder, Purpose::WriteOrRemote, &[]);
        // With `--annotate` git would ignore `tag.forceSignAnnotated`. A message makes the tag annotated, too.
        tag.args(["tag", "--cleanup=verbatim", "--file=-"]);
        tag.args(["--end-of-options", name, commit]);
        let output = run(tag, &what, message.as_bytes(), Some(child::interactive_limit()))?;
        if output.status != Some(0) && self.signs_tags()? {
            return Err(Error::NotSigned { name: name.to_owned(), source: Message(output.stderr) });
        }
        output.expect(what).map(drop)
    }

    /// Whether the user's configuration requires signed tags.
    fn signs_tags(&self) -> Result<bool, Error> {
        for key in ["tag.gpgSign", "tag.forceSignAnnotated"] {
            let setting = self.run(&["config", "--type=bool", "--get", key])?;
            if text(setting.stdout).trim() == "true" {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Pushes one tag to a remote. Hooks run.
    pub fn push_tag(&self, remote: &str, name: &str) -> Result<(), Error> {
        let reference = format!("refs/tags/{name}");
        let what = format!("push the tag {name} to {remote}");
        let mut push = command(&self.folder, Purpose::WriteOrRemote, &[]);
        push.args(["push", "--quiet", "--", remote, &reference]);
        run(push, &what, &[], Some(PUSH_LIMIT))?.expect(what).map(drop)
    }

    /// Runs a read command.
    fn run(&self, args: &[&str]) -> Result<Output, Error> {
        let mut command = command(&self.folder, Purpose::Read, &self.overrides);
        command.args(args);
        run(command, args.first().unwrap_or(&"run"), &[], None)
    }
}

/// Whether a file of the index is in the working tree. The path may not be UTF-8.
#[cfg(unix)]
fn exists(root: &Path, path: &[u8]) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    root.join(std::ffi::OsStr::from_bytes(path)).symlink_metadata().is_ok()
}

/// Whether a file of the index is in the working tree.
#[cfg(not(unix))]
fn exists(root: &Path, path: &[u8]) -> bool {
    root.join(&*String::from_utf8_lossy(path)).symlink_metadata().is_ok()
}

/// The first twelve digits of a commit's id: enough for people.
pub fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

//! Facts of a git repository, and the two writes: make a tag, push it.
//!
//! Reads and writes with the `git` program only; `program.rs` is the one place that starts it. Knows nothing of OSMT.
//! Why a program and not a library: `docs/decisions/0004-git-by-its-own-program.md`.

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
use program::{Purpose, Said, command, recent, run, text};
use settings::Setting;

pub use objects::{Entry, Kind, Object};
pub use program::{Error, Output};

/// How long a push may take with its hooks.
const PUSH: Duration = Duration::from_secs(600);

/// A tag that names a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Without `refs/tags/`.
    pub name: String,
    /// The commit, peeled.
    pub commit: String,
    /// When it was made, ISO 8601 with offset; of a lightweight tag the commit's.
    pub date: String,
    /// The whole message; of a lightweight tag the commit's.
    pub message: String,
    /// Whether it is a tag object.
    pub annotated: bool,
}

/// A commit, in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// The whole id.
    pub id: String,
    /// When it was committed, ISO 8601 with offset.
    pub date: String,
    /// The first line of its message.
    pub subject: String,
}

/// How the working tree differs from the commit checked out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files under version control that were changed, added, removed or are in conflict.
    pub tracked: Vec<String>,
    /// Files that git does not know.
    pub untracked: Vec<String>,
}

/// A repository that git would open.
#[derive(Clone)]
pub struct Repository {
    folder: PathBuf,
    /// The settings that a reading call overrides.
    settings: Vec<Setting>,
    /// The process that reads objects, started when the first is asked for.
    objects: Arc<Mutex<Option<Objects>>>,
    /// Whether its history is cut off.
    pub shallow: bool,
    /// Whether it has no working tree.
    pub bare: bool,
    /// The commit checked out; `None` before the first.
    pub head: Option<String>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Repository").field(&self.folder).finish()
    }
}

impl Repository {
    /// Opens the repository that a folder is in.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        const WHAT: &str = "open the repository";
        let mut version = command(Path::new("."), Purpose::Read, &[]);
        version.arg("version");
        let version = run(version, "print its version", &[], None)?.expect("print its version")?;
        recent(&String::from_utf8_lossy(&version))?;
        let mut asked = command(folder, Purpose::Read, &[]);
        asked.args(["rev-parse", "--is-shallow-repository", "--is-bare-repository"]);
        let output = run(asked, WHAT, &[], None)?;
        if output.status != Some(0) {
            let said = Said(output.stderr);
            let folder = folder.to_owned();
            let absolute = std::path::absolute(&folder).unwrap_or_else(|_| folder.clone());
            let exists = absolute.ancestors().any(|folder| folder.join(".git").exists());
            return Err(if exists {
                Error::Refused(folder, said)
            } else {
                Error::NotARepository(folder, said)
            });
        }
        let facts = text(output.stdout);
        let mut facts = facts.lines();
        let mut repository = Self {
            folder: folder.to_owned(),
            settings: Vec::new(),
            objects: Arc::default(),
            shallow: facts.next() == Some("true"),
            bare: facts.next() == Some("true"),
            head: None,
        };
        let listed = repository.run(&["config", "--show-scope", "-z", "--name-only", "--list"])?;
        repository.settings = settings::set_aside(&text(listed.expect("list its settings")?));
        let head = repository.run(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
        repository.head = (head.status == Some(0)).then(|| text(head.stdout).trim().to_owned());
        Ok(repository)
    }

    /// The folder that was opened.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The commit checked out, or an error that says there is none.
    pub fn head(&self) -> Result<&str, Error> {
        self.head.as_deref().ok_or_else(|| Error::NoHead(self.folder.clone()))
    }

    /// The id of the commit that a revision names; a revision that looks like an option is a revision all the same.
    pub fn resolve(&self, rev: &str) -> Result<String, Error> {
        // A search takes all that follows as its text: `HEAD^{/text}` can be peeled, `:/text` cannot.
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
            source: (!output.stderr.is_empty()).then_some(Said(output.stderr)),
        })
    }

    /// The tags under a prefix (all for an empty one) that name a commit, in the order of their names.
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

    /// The newest commits that `to` reaches and `from` does not, at most `limit`.
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

    /// The files of a commit at or below a path, sorted by path; symbolic links are among them, with their kind.
    pub fn files(&self, commit: &str, path: &str) -> Result<Vec<Entry>, Error> {
        self.with_objects(|objects| objects.files(commit, path))
    }

    /// The entries of a folder of a commit; `None` where there is no such folder.
    pub fn entries(&self, commit: &str, path: &str) -> Result<Option<Vec<Entry>>, Error> {
        self.with_objects(|objects| objects.folder(commit, path))
    }

    /// The content of a file of a commit; `None` where the commit has no such file. Content that the commit lists and the
    /// repository lacks is an error.
    pub fn file(&self, commit: &str, path: &str) -> Result<Option<Vec<u8>>, Error> {
        self.with_objects(|objects| objects.file(commit, path))
    }

    /// An object by its id or by `commit:path`; `None` where the repository has none. A partial clone fetches what it lacks.
    pub fn object(&self, name: &str) -> Result<Option<Object>, Error> {
        self.with_objects(|objects| objects.object(name))
    }

    fn with_objects<T>(&self, read: impl FnOnce(&mut Objects) -> Result<T, Error>) -> Result<T, Error> {
        let mut slot = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let mut objects = match slot.take() {
            Some(objects) => objects,
            None => Objects::start(command(&self.folder, Purpose::Read, &self.settings))?,
        };
        let result = read(&mut objects);
        // After an error the process may have ended, or may be in the middle of an answer: the next call starts another.
        if result.is_ok() {
            *slot = Some(objects);
        }
        result
    }

    /// How the working tree differs from the commit checked out; nothing in a bare repository.
    pub fn changes(&self) -> Result<Changes, Error> {
        const WHAT: &str = "compare the working tree";
        let mut changes = Changes::default();
        if self.bare {
            return Ok(changes);
        }
        let index = self.index_without_marks()?;
        let mut status = command(&self.folder, Purpose::Read, &self.settings);
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
                None => return Err(Error::Garbled(WHAT)),
            }
        }
        Ok(changes)
    }

    /// A copy of the index in which no file is marked as "assume unchanged" or, where it is in the working tree, "skip worktree",
    /// if the index marks any: git does not look at a marked file. (Files that a sparse checkout leaves out keep their mark.)
    fn index_without_marks(&self) -> Result<Option<tempfile::NamedTempFile>, Error> {
        const WHAT: &str = "read the index";
        let root = text(self.run(&["rev-parse", "--show-toplevel"])?.expect(WHAT)?);
        let root = Path::new(root.trim_end_matches('\n'));
        let mut list = command(root, Purpose::Read, &self.settings);
        list.args(["ls-files", "-v", "-z", "--full-name"]);
        let listed = run(list, WHAT, &[], None)?.expect(WHAT)?;
        // Each line is a letter (small: assume unchanged; S: skip worktree), a space, a path.
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
            let mut unmark = command(root, Purpose::Read, &self.settings);
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

    /// Whether a branch of a remote, as last fetched, holds the commit.
    pub fn is_pushed(&self, commit: &str) -> Result<bool, Error> {
        let contains = format!("--contains={commit}");
        let args = ["for-each-ref", "--count=1", &contains, "refs/remotes"];
        let printed = self.run(&args)?.expect("look for the commit on the remotes")?;
        Ok(!printed.is_empty())
    }

    /// Whether any branch of a remote was fetched.
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

    /// The object of a tag; `None` where there is no such tag.
    pub fn tag_object(&self, name: &str) -> Result<Option<String>, Error> {
        let reference = format!("refs/tags/{name}");
        let output = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &reference])?;
        Ok((output.status == Some(0)).then(|| text(output.stdout).trim().to_owned()))
    }

    /// The object of a remote's tag; asks the remote.
    pub fn remote_tag_object(&self, remote: &str, name: &str) -> Result<Option<String>, Error> {
        let reference = format!("refs/tags/{name}");
        let what = format!("ask {remote} for its tags");
        let mut asked = command(&self.folder, Purpose::Act, &[]);
        asked.args(["ls-remote", "--refs", "--", remote, &reference]);
        let limit = Some(child::limit_of_question());
        let answer = text(run(asked, &what, &[], limit)?.expect(&what)?);
        Ok(answer.split_whitespace().next().map(str::to_owned))
    }

    /// Makes an annotated tag; signs it where the user's configuration says so.
    pub fn make_tag(&self, name: &str, commit: &str, message: &str) -> Result<(), Error> {
        let what = format!("make the tag {name}");
        let mut tag = command(&self.folder, Purpose::Act, &[]);
        // Not `--annotate`, before which `tag.forceSignAnnotated` would not count; a message makes the tag annotated too.
        tag.args(["tag", "--cleanup=verbatim", "--file=-"]);
        tag.args(["--end-of-options", name, commit]);
        let output = run(tag, &what, message.as_bytes(), Some(child::limit_of_question()))?;
        if output.status != Some(0) && self.signs_tags()? {
            return Err(Error::NotSigned { name: name.to_owned(), source: Said(output.stderr) });
        }
        output.expect(what).map(drop)
    }

    /// Whether the user's configuration wants tags signed.
    fn signs_tags(&self) -> Result<bool, Error> {
        for key in ["tag.gpgSign", "tag.forceSignAnnotated"] {
            let asked = self.run(&["config", "--type=bool", "--get", key])?;
            if text(asked.stdout).trim() == "true" {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Pushes one tag to a remote. Hooks run, and may take their time.
    pub fn push_tag(&self, remote: &str, name: &str) -> Result<(), Error> {
        let reference = format!("refs/tags/{name}");
        let what = format!("push the tag {name} to {remote}");
        let mut push = command(&self.folder, Purpose::Act, &[]);
        push.args(["push", "--quiet", "--", remote, &reference]);
        run(push, &what, &[], Some(PUSH))?.expect(what).map(drop)
    }

    /// A call that reads.
    fn run(&self, args: &[&str]) -> Result<Output, Error> {
        let mut command = command(&self.folder, Purpose::Read, &self.settings);
        command.args(args);
        run(command, args.first().unwrap_or(&"run"), &[], None)
    }
}

/// Whether a file of the index is in the working tree; a path that is not UTF-8 is looked for by its bytes.
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

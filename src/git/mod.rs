//! Facts of a git repository, and the two writes: make a tag, push it.
//!
//! Reads and writes with the `git` program only, and [`run`] is the one place that starts it. Knows nothing of OSMT.
//! Why a program and not a library: `docs/decisions/0004-git-by-its-own-program.md`.

mod program;

use std::path::{Path, PathBuf};

use serde::Serialize;

use program::{Said, recent, text};

pub use program::{Error, Output, run};

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

/// A file in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From the repository's root.
    pub path: String,
    /// The blob's id.
    pub id: String,
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
#[derive(Clone, Debug)]
pub struct Repository {
    folder: PathBuf,
    /// Whether its history is cut off.
    pub shallow: bool,
    /// Whether it has no working tree.
    pub bare: bool,
    /// The commit checked out; `None` before the first.
    pub head: Option<String>,
}

impl Repository {
    /// Opens the repository that a folder lies in.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let version = run(Path::new("."), &["version"], &[])?.expect("tell its version")?;
        recent(&String::from_utf8_lossy(&version))?;
        let asked = ["rev-parse", "--is-shallow-repository", "--is-bare-repository"];
        let output = run(folder, &asked, &[])?;
        if output.status != Some(0) {
            return Err(Error::NotARepository(folder.to_owned(), Said(output.stderr)));
        }
        let facts = text(output.stdout);
        let mut facts = facts.lines();
        let mut repository = Self {
            folder: folder.to_owned(),
            shallow: facts.next() == Some("true"),
            bare: facts.next() == Some("true"),
            head: None,
        };
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
        let peeled = format!("{rev}^{{commit}}");
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

    /// The files of a commit at or below a path.
    pub fn files(&self, commit: &str, path: &str) -> Result<Vec<Entry>, Error> {
        let args = ["ls-tree", "-r", "-z", "--full-tree", commit, "--", path];
        let printed = text(self.run(&args)?.expect("list the files of a commit")?);
        Ok(printed
            .split_terminator('\0')
            .filter_map(|line| {
                let (about, path) = line.split_once('\t')?;
                let mut about = about.split(' ').skip(1);
                (about.next()? == "blob").then_some(())?;
                Some(Entry { path: path.to_owned(), id: about.next()?.to_owned() })
            })
            .collect())
    }

    /// The contents of objects, in the order of their names; `None` where there is no such object.
    ///
    /// A name is an id, or `commit:path`. A partial clone fetches what it lacks.
    pub fn contents(&self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        const WHAT: &str = "read files";
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let input = names.join("\n") + "\n";
        let output = run(&self.folder, &["cat-file", "--batch"], input.as_bytes())?;
        let printed = output.expect(WHAT)?;
        let mut rest = printed.as_slice();
        names
            .iter()
            .map(|_| {
                let end = rest.iter().position(|byte| *byte == b'\n');
                let (head, after) = rest.split_at(end.ok_or(Error::Garbled(WHAT))?);
                rest = &after[1..];
                let head = String::from_utf8_lossy(head);
                if head.ends_with(" missing") {
                    return Ok(None);
                }
                let size = head.rsplit(' ').next().and_then(|size| size.parse().ok());
                let size: usize = size.ok_or(Error::Garbled(WHAT))?;
                let content = rest.get(..size).ok_or(Error::Garbled(WHAT))?.to_vec();
                rest = rest.get(size + 1..).ok_or(Error::Garbled(WHAT))?;
                Ok(Some(content))
            })
            .collect()
    }

    /// How the working tree differs from the commit checked out; nothing in a bare repository.
    pub fn changes(&self) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        if self.bare {
            return Ok(changes);
        }
        let args = ["status", "--porcelain=v1", "-z", "--no-renames"];
        let printed = text(self.run(&args)?.expect("compare the working tree")?);
        for line in printed.split_terminator('\0') {
            match line.split_at_checked(3) {
                Some(("?? ", path)) => changes.untracked.push(path.to_owned()),
                Some((_, path)) => changes.tracked.push(path.to_owned()),
                None => return Err(Error::Garbled("compare the working tree")),
            }
        }
        Ok(changes)
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

    /// Whether a remote has the tag; asks the remote.
    pub fn remote_has_tag(&self, remote: &str, name: &str) -> Result<bool, Error> {
        let reference = format!("refs/tags/{name}");
        let args = ["ls-remote", "--refs", "--", remote, &reference];
        let what = format!("ask {remote} for its tags");
        Ok(!self.run(&args)?.expect(what)?.is_empty())
    }

    /// Makes an annotated tag; signs it where the user's configuration says so.
    pub fn make_tag(&self, name: &str, commit: &str, message: &str) -> Result<(), Error> {
        let mut args = vec!["tag", "--annotate", "--cleanup=verbatim", "--file=-"];
        args.extend(["--end-of-options", name, commit]);
        run(&self.folder, &args, message.as_bytes())?.expect(format!("make the tag {name}")).map(drop)
    }

    /// Pushes one tag to a remote.
    pub fn push_tag(&self, remote: &str, name: &str) -> Result<(), Error> {
        let reference = format!("refs/tags/{name}");
        self.run(&["push", "--quiet", "--", remote, &reference])?
            .expect(format!("push the tag {name} to {remote}"))
            .map(drop)
    }

    fn run(&self, args: &[&str]) -> Result<Output, Error> {
        run(&self.folder, args, &[])
    }
}

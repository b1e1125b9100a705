//! Reads objects with one `git cat-file --batch` process, which runs as long as the repository is open.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use super::program::{Error, Message, failed, text};
use crate::child;

const WHAT: &str = "read objects";

/// An entry of a folder in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the repository's root.
    pub path: String,
    /// The object's id.
    pub id: String,
    /// File, link, folder or submodule.
    pub kind: Kind,
}

/// The type of an object, or of an entry of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A symbolic link; its content is the target.
    Link,
    /// A folder.
    Folder,
    /// A commit; as an entry of a folder, a submodule.
    Commit,
    /// A tag object.
    Tag,
}

/// An object of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its id.
    pub id: String,
    /// Its type; a blob is a file.
    pub kind: Kind,
    /// Its content.
    pub content: Vec<u8>,
}

pub(super) struct Objects {
    child: child::Running,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    errors: Option<JoinHandle<Vec<u8>>>,
    /// The root tree of each commit that was read.
    roots: HashMap<String, String>,
    /// The entries of each tree that was read, by id: commits share most trees.
    trees: HashMap<String, Vec<Entry>>,
}

impl Objects {
    pub(super) fn start(mut command: Command) -> Result<Self, Error> {
        command.args(["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child::spawn(&mut command).map_err(|error| failed(error, WHAT))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // In a thread, because git would block when the pipe is full: a partial clone prints progress of its fetches.
        let errors = std::thread::spawn(move || {
            let mut printed = Vec::new();
            let _ = stderr.map(|mut stderr| stderr.read_to_end(&mut printed));
            printed
        });
        let stdout = BufReader::new(stdout.ok_or(Error::UnexpectedOutput(WHAT))?);
        Ok(Self { child, stdin, stdout, errors: Some(errors), roots: HashMap::new(), trees: HashMap::new() })
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Option<Object>, Error> {
        // The protocol has one name per line.
        if name.contains('\n') {
            return Ok(None);
        }
        let written = self.stdin.as_mut().map(|stdin| {
            stdin.write_all(name.as_bytes())?;
            stdin.write_all(b"\n")?;
            stdin.flush()
        });
        let mut head = Vec::new();
        let read = self.stdout.read_until(b'\n', &mut head);
        if !matches!(written, Some(Ok(()))) || !matches!(read, Ok(read) if read > 0) {
            return Err(self.ended(name));
        }
        let head = String::from_utf8_lossy(&head).trim_end_matches('\n').to_owned();
        if head == format!("{name} missing") || head == format!("{name} ambiguous") {
            return Ok(None);
        }
        let mut fields = head.split(' ');
        let (Some(id), Some(kind), Some(size)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(Error::UnexpectedOutput(WHAT));
        };
        let kind = match kind {
            "blob" => Kind::File,
            "tree" => Kind::Folder,
            "commit" => Kind::Commit,
            "tag" => Kind::Tag,
            _ => return Err(Error::UnexpectedOutput(WHAT)),
        };
        let size: usize = size.parse().map_err(|_| Error::UnexpectedOutput(WHAT))?;
        let mut content = vec![0; size + 1];
        if self.stdout.read_exact(&mut content).is_err() {
            return Err(self.ended(name));
        }
        content.pop();
        Ok(Some(Object { id: id.to_owned(), kind, content }))
    }

    /// The error if git ended instead of printing the object, as it does for a damaged object.
    fn ended(&mut self, name: &str) -> Error {
        self.stdin = None;
        let _ = self.child.wait();
        if child::is_stopping() {
            return Error::Interrupted;
        }
        let printed = self.errors.take().and_then(|errors| errors.join().ok()).unwrap_or_default();
        Error::Failed { what: format!("read {name}"), source: Message(text(printed).trim().to_owned()) }
    }

    /// The entry of a commit at a path; `None` if it does not exist.
    fn entry(&mut self, commit: &str, path: &str) -> Result<Option<Entry>, Error> {
        let root = if let Some(root) = self.roots.get(commit) {
            root.clone()
        } else {
            let Some(root) = self.object(&format!("{commit}^{{tree}}"))? else {
                return Err(Error::Unreadable { path: "/".to_owned(), id: commit.to_owned() });
            };
            self.trees.insert(root.id.clone(), entries_of_tree(&root)?);
            self.roots.insert(commit.to_owned(), root.id.clone());
            root.id
        };
        let mut found = Entry { path: String::new(), id: root, kind: Kind::Folder };
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if found.kind != Kind::Folder {
                return Ok(None);
            }
            let entries = self.entries(&found)?;
            match entries.into_iter().find(|entry| entry.path.rsplit('/').next() == Some(part)) {
                Some(entry) => found = entry,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// The entries of a folder, in git's order.
    fn entries(&mut self, folder: &Entry) -> Result<Vec<Entry>, Error> {
        if !self.trees.contains_key(&folder.id) {
            let Some(tree) = self.object(&folder.id)? else {
                return Err(Error::Unreadable { path: format!("{}/", folder.path), id: folder.id.clone() });
            };
            self.trees.insert(folder.id.clone(), entries_of_tree(&tree)?);
        }
        let within = |entry: &Entry| {
            let path = match folder.path.as_str() {
                "" => entry.path.clone(),
                folder => format!("{folder}/{}", entry.path),
            };
            Entry { path, ..entry.clone() }
        };
        Ok(self.trees.get(&folder.id).into_iter().flatten().map(within).collect())
    }

    pub(super) fn folder(&mut self, commit: &str, path: &str) -> Result<Option<Vec<Entry>>, Error> {
        match self.entry(commit, path)? {
            Some(entry) if entry.kind == Kind::Folder => self.entries(&entry).map(Some),
            _ => Ok(None),
        }
    }

    pub(super) fn files(&mut self, commit: &str, path: &str) -> Result<Vec<Entry>, Error> {
        let mut waiting: Vec<Entry> = self.entry(commit, path)?.into_iter().collect();
        let mut files = Vec::new();
        while let Some(entry) = waiting.pop() {
            match entry.kind {
                Kind::Folder => waiting.extend(self.entries(&entry)?),
                Kind::File | Kind::Link => files.push(entry),
                Kind::Commit | Kind::Tag => {}
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    pub(super) fn file(&mut self, commit: &str, path: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.entry(commit, path)? {
            Some(entry) if entry.kind == Kind::File => match self.object(&entry.id)? {
                Some(object) => Ok(Some(object.content)),
                None => Err(Error::Unreadable { path: entry.path, id: entry.id }),
            },
            _ => Ok(None),
        }
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // The end of its input ends git. A fetch that is still running is killed.
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The entries of a tree; the path of each is its name.
fn entries_of_tree(tree: &Object) -> Result<Vec<Entry>, Error> {
    let length = tree.id.len() / 2;
    let mut rest = tree.content.as_slice();
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (head, id) = entry_of_tree(rest, length).ok_or(Error::UnexpectedOutput(WHAT))?;
        rest = &rest[head.len() + 1 + length..];
        let head = text(head.to_vec());
        let (mode, name) = head.split_once(' ').ok_or(Error::UnexpectedOutput(WHAT))?;
        let kind = match mode {
            "40000" => Kind::Folder,
            "120000" => Kind::Link,
            "160000" => Kind::Commit,
            _ => Kind::File,
        };
        entries.push(Entry { path: name.to_owned(), id, kind });
    }
    Ok(entries)
}

/// Mode and name of the first entry of a tree, and its id in hexadecimal digits. Git's format is `MODE NAME\0ID`.
fn entry_of_tree(tree: &[u8], length: usize) -> Option<(&[u8], String)> {
    let end = tree.iter().position(|byte| *byte == 0)?;
    let id = tree.get(end + 1..end + 1 + length)?;
    let digit = |number: u8| char::from_digit(u32::from(number), 16);
    let id = id.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect::<Option<String>>()?;
    Some((&tree[..end], id))
}

//! A small repository in OSMT's shape, made with the real git, the same to the byte on every run.

use std::path::PathBuf;
use std::process::Command;

use crate::support;
use crate::support::{Folder, GIT, Ran, git, git_with, run};

const WHO: &str = "Ada <ada@example.org> 1767323045 +0000";
pub(crate) const MIGRATIONS: &str = "api/src/main/resources/db/migration";

/// A folder of the test's own with a checkout of OSMT and a config.
pub(crate) struct Checkout {
    folder: Folder,
}

impl Checkout {
    /// An empty repository, and a config that selects 3.0.0.
    pub(crate) fn empty() -> Self {
        let checkout = Self { folder: Folder::of("test") };
        std::fs::create_dir(checkout.repo()).unwrap();
        checkout.git(&["init", "--quiet", "--initial-branch=develop"]);
        checkout
    }

    /// OSMT's history in small: the releases have its versions and order of migrations, with SQL of our own.
    pub(crate) fn osmt() -> Self {
        const HISTORY: [(&str, &str); 7] = [
            ("V2020.09.15__first.sql", "CREATE TABLE skill (id int, author_id int, cat_id int);"),
            ("V2023.01.26__status.sql", "ALTER TABLE skill ADD status int;"),
            ("V2023.02.08__description.sql", "ALTER TABLE skill ADD description text;"),
            ("V2023.03.22__published.sql", "UPDATE skill SET status = 1;"),
            ("V2023.02.20__authors.sql", "ALTER TABLE skill DROP COLUMN author_id;"),
            ("V2023.03.07__categories.sql", "ALTER TABLE skill DROP COLUMN cat_id;"),
            ("V2023.07.05__narrow.sql", "ALTER TABLE skill MODIFY description varchar(9);"),
        ];
        const RELEASES: [(usize, &str); 4] = [(1, "2.4.2"), (3, "2.5.0"), (4, "2.5.1"), (7, "3.0.0")];
        let mut stream = String::new();
        for (count, (file, sql)) in HISTORY.iter().enumerate() {
            import(&mut stream, &format!("{MIGRATIONS}/{file}"), &format!("{sql}\n"));
            if let Some((_, version)) = RELEASES.iter().find(|(of, _)| *of == count + 1) {
                import(&mut stream, "pom.xml", &pom(version));
                tag(&mut stream, version);
            }
        }
        import(&mut stream, "pom.xml", &pom("3.1.0-SNAPSHOT"));
        Self::imported(stream)
    }

    /// A repository from what `git fast-import` reads: one process for the whole history instead of dozens.
    pub(crate) fn imported(stream: String) -> Self {
        let checkout = Self::empty();
        git_with(&checkout.repo(), &["fast-import", "--quiet"], stream);
        checkout.git(&["reset", "--quiet", "--hard"]);
        checkout
    }

    /// Commits a migration.
    pub(crate) fn migration(&self, file: &str, sql: &str) {
        self.commit(&format!("{MIGRATIONS}/{file}"), sql);
    }

    /// Commits one file.
    pub(crate) fn commit(&self, file: &str, content: &str) {
        support::write(&self.repo().join(file), content);
        self.git(&["add", "--", file]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", file]);
    }

    /// The repository.
    pub(crate) fn repo(&self) -> PathBuf {
        self.folder.path().join("osmt")
    }

    /// The folder with the config.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The config.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.config()
    }

    /// The config's text.
    pub(crate) fn config_text(&self) -> String {
        self.folder.config_text()
    }

    /// Makes the config select an image's tag, as a user's editor would.
    pub(crate) fn select(&self, docker_tag: &str) {
        let from = "\"docker_tag\": \"3.0.0\"";
        let text = support::config("test");
        assert!(text.contains(from));
        let to = format!("\"docker_tag\": \"{docker_tag}\"");
        support::write(&self.config(), &text.replace(from, &to));
    }

    /// Runs git in the repository; what it prints.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.repo(), args)
    }

    /// What `check` reports: the exit, the findings as `error REL010`, and the whole document.
    pub(crate) fn check(&self, args: &[&str]) -> (i32, Vec<String>, serde_json::Value) {
        let mut tool = self.release_tool();
        let Ran { exit, stdout, stderr } = run(tool.args(["--format", "json", "check"]).args(args));
        let report: serde_json::Value =
            serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
        let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
        let found = report["findings"].as_array().unwrap().iter();
        let found = found.map(|one| format!("{} {}", text(one, "severity"), text(one, "code"))).collect();
        (exit, found, report)
    }

    /// The id of a commit.
    pub(crate) fn id(&self, rev: &str) -> String {
        self.git(&["rev-parse", &format!("{rev}^{{commit}}")])
    }

    /// `osmt-release` on this checkout and config, without AWS.
    pub(crate) fn release_tool(&self) -> Command {
        self.on(support::osmt("osmt-release"))
    }

    /// A command on this checkout and config.
    pub(crate) fn on(&self, mut command: Command) -> Command {
        // The image's registry is asked in the tests that are about it.
        command.env("OSMT_OFFLINE", "1").envs(GIT).current_dir(self.folder.path()).args([
            "--repo",
            "osmt",
            "--config",
            "config.auto.tfvars.json",
        ]);
        command
    }
}

/// One commit of one file, as `git fast-import` reads it.
pub(crate) fn import(stream: &mut String, file: &str, content: &str) {
    let (name, content_length) = (file.len(), content.len());
    let head = format!("commit refs/heads/develop\ncommitter {WHO}\ndata {name}\n{file}\n");
    let body = format!("M 100644 inline {file}\ndata {content_length}\n{content}\n");
    stream.push_str(&head);
    stream.push_str(&body);
}

/// An annotated tag on the newest commit, as `git fast-import` reads it.
pub(crate) fn tag(stream: &mut String, name: &str) {
    let tag = format!("tag {name}\nfrom refs/heads/develop\ntagger {WHO}\ndata 9\na release\n");
    stream.push_str(&tag);
}

/// A `pom.xml` of a version, with a parent whose version is another.
pub(crate) fn pom(version: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<project>\n  <parent><version>9.9.9</version></parent>\n  \
         <artifactId>osmt-parent</artifactId>\n  <version>{version}</version>\n</project>\n"
    )
}

//! The action, the GitLab template and the pre-commit hook do what they say, with the real binary, as far as that is
//! possible without their services: their shell commands run here, their files are compared with the services' schemas.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own and start shells")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Program;

use serde_json::Value;

use super::base;
use super::plan::folder_with;
use super::support::{Ran, binary, git, git_command, python, root, run, snapshot};

const CONFIG: &str = "terraform/invocation/config.auto.tfvars.json";

/// A checkout with one config, and a folder of programs that is first on the path.
struct Project {
    folder: tempfile::TempDir,
    path: String,
}

impl Project {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("terraform/invocation")).unwrap();
        for made in ["bin", "temp", ".git"] {
            fs::create_dir(folder.path().join(made)).unwrap();
        }
        fs::write(folder.path().join(CONFIG), config).unwrap();
        let doctor = Path::new(binary("osmt-doctor"));
        let path = format!(
            "{}:{}:{}",
            folder.path().join("bin").display(),
            doctor.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        Self { folder, path }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// This project, a plan elsewhere, and what a snapshot has in their places.
    fn own<'a>(&'a self, plan: &'a Path) -> [(&'a str, &'a str); 2] {
        [
            (plan.parent().unwrap().to_str().unwrap(), "PLANS"),
            (self.folder.path().to_str().unwrap(), "PROJECT"),
        ]
    }

    /// What a step gives to the next ones, without the folder of its files.
    fn outputs(&self) -> Vec<String> {
        let outputs = self.text("outputs");
        outputs.lines().filter(|line| !line.starts_with("out=")).map(str::to_owned).collect()
    }

    /// A program that writes its arguments and its input into files.
    #[cfg(unix)]
    fn fake(&self, program: &str, answer: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.file("bin").join(program);
        let log = self.file(program).display().to_string();
        let text = format!(
            "#!/bin/sh\necho \"$*\" >> {log}.arguments\nif [ ! -t 0 ]; then cat >> {log}.input; fi\n{answer}\n"
        );
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn program(&self, name: &str) -> Program {
        let mut command = Program::new(name);
        command.current_dir(self.folder.path()).env("PATH", &self.path).env_remove("CI");
        command
    }

    /// A step of the action, as GitHub's runner starts it.
    fn step(&self, name: &str, environment: &[(&str, &str)]) -> Ran {
        let script = step(&fs::read_to_string(root().join("action.yml")).unwrap(), name);
        let mut command = self.program("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script]);
        command.env("RUNNER_TEMP", self.file("temp")).env("GITHUB_OUTPUT", self.file("outputs"));
        run(command.env("GITHUB_REPOSITORY", "org/repo").envs(environment.iter().copied()))
    }

    /// The jobs of the GitLab template, as a runner starts them.
    fn job(&self, shell: &str, environment: &[(&str, &str)]) -> Ran {
        let script = job(&fs::read_to_string(root().join("templates/osmt-doctor.yml")).unwrap());
        let mut command = self.program(shell);
        command.args(["-e", "-c", &script]);
        command.env("DOCTOR_DIR", "terraform/invocation").env("DOCTOR_FAIL_ON", "error");
        run(command.envs(environment.iter().copied()))
    }
}

/// The lines below one that ends with `|`, without their indentation, up to one that is indented less.
fn block<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut indent = None;
    let mut text = String::new();
    for line in lines {
        let own = line.len() - line.trim_start().len();
        let first = *indent.get_or_insert(own);
        if !line.trim().is_empty() && own < first {
            break;
        }
        text += line.get(first..).unwrap_or_default();
        text.push('\n');
    }
    text
}

fn step(action: &str, name: &str) -> String {
    let (_, from) = action.split_once(&format!("- name: {name}\n")).unwrap();
    let own = from.split("\n    - name: ").next().unwrap();
    match own.split_once("run: |\n") {
        Some((_, script)) => block(script.lines()),
        None => own.split_once("run: ").unwrap().1.to_owned(),
    }
}

fn job(template: &str) -> String {
    let (_, from) = template.split_once("  script:\n").unwrap();
    let mut script = String::new();
    let lines: Vec<&str> = from.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("  artifacts:") {
            break;
        }
        match line.strip_prefix("    - ") {
            Some("|") => script += &block(lines[at + 1..].iter().copied()),
            Some(command) => script.extend([command, "\n"]),
            None => {}
        }
    }
    script
}

#[cfg(unix)]
#[test]
fn the_action_reports_comments_and_fails_for_an_error() {
    let given = [("DIR", "terraform/invocation"), ("FAIL_ON", "error"), ("STRICT", "false"), ("PLAN", "")];
    let good = Project::new(&base("test"));
    good.step("Check", &given).exits(0);
    assert_eq!(good.outputs(), ["exit=0", "sarif=true"]);

    let bad = Project::new(&base("test").replace("osmt_db", "osmt"));
    let (_folder, plan) = folder_with("PLAN001", "wrong", "");
    let with_plan: Vec<(&str, &str)> = given.into_iter().chain([("PLAN", plan.to_str().unwrap())]).collect();
    // The verdict is a step of its own.
    bad.step("Check", &with_plan).exits(0).matches("doctor/action-check", &bad.own(&plan));
    assert_eq!(bad.outputs(), ["exit=1", "sarif=true"]);
    let outputs = bad.text("outputs");
    let out = outputs.lines().find_map(|line| line.strip_prefix("out=")).unwrap();
    for (file, code) in [("check", "RDS001"), ("plan", "PLAN001")] {
        let log: Value =
            serde_json::from_str(&fs::read_to_string(format!("{out}/sarif/{file}.sarif")).unwrap()).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert!(results.iter().any(|one| one["ruleId"] == code), "{file}: {results:?}");
    }

    // The first comment is written; where the bot has one, that one is changed.
    for (earlier, wanted) in [
        ("", "--method POST repos/org/repo/issues/7/comments"),
        ("55", "--method PATCH repos/org/repo/issues/comments/55"),
    ] {
        bad.fake("gh", &format!("case \"$*\" in *--paginate*) echo {earlier};; esac"));
        bad.step("Comment", &[("OUT", out), ("NUMBER", "7"), ("GH_TOKEN", "token-of-the-test")]).exits(0);
        let calls = bad.text("gh.arguments");
        assert!(calls.contains(wanted) && !calls.contains("token-of-the-test"), "{calls}");
    }
    let comment = fs::read_to_string(format!("{out}/comment.md")).unwrap();
    snapshot("doctor/action-comment", &comment, &bad.own(&plan));
    bad.step("Verdict", &[("CODE", "1")]).exits(1);

    // What cannot be read makes no SARIF file to upload, and is still a comment.
    let none = Project::new("{}");
    let missing = [("DIR", "nowhere"), ("FAIL_ON", "error"), ("STRICT", "true"), ("PLAN", "")];
    none.step("Check", &missing).exits(0);
    assert_eq!(none.outputs(), ["exit=2", "sarif=false"]);
}

#[cfg(unix)]
#[test]
fn the_gitlab_jobs_leave_their_reports_and_a_note() {
    for shell in ["sh", "bash"] {
        let good = Project::new(&base("test"));
        good.job(shell, &[]).exits(0);
        assert_eq!(good.text("gl-code-quality-report.json").trim(), "[]");

        let bad = Project::new(&base("test").replace("osmt_db", "osmt"));
        bad.fake("curl", "");
        let merge_request = [
            ("DOCTOR_TOKEN", "token-of-the-test"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_API_V4_URL", "https://gitlab.example.org/api/v4"),
            ("CI_PROJECT_ID", "5"),
        ];
        let own = [(bad.folder.path().to_str().unwrap(), "PROJECT"), ("\u{1b}", "ESC")];
        bad.job(shell, &merge_request).exits(1).matches("doctor/gitlab-job", &own);
        let report: Value = serde_json::from_str(&bad.text("gl-code-quality-report.json")).unwrap();
        assert_eq!(report[0]["check_name"], "RDS001");
        assert_eq!(report[0]["location"]["path"], CONFIG);
        let reports =
            ["osmt-doctor.xml", "osmt-doctor.md"].map(|name| format!("==> {name}\n{}\n", bad.text(name)));
        snapshot("doctor/gitlab-reports", &reports.concat(), &own);
        let (arguments, input) = (bad.text("curl.arguments"), bad.text("curl.input"));
        let notes = "https://gitlab.example.org/api/v4/projects/5/merge_requests/7/notes";
        assert!(arguments.contains(notes), "{arguments}");
        assert!(!arguments.contains("token-of-the-test"), "{arguments}");
        assert_eq!(input, "header = \"PRIVATE-TOKEN: token-of-the-test\"\n");

        // The second job judges a plan.
        let (_folder, plan) = folder_with("PLAN001", "wrong", "");
        bad.job(shell, &[("DOCTOR_PLAN", plan.to_str().unwrap())]).exits(1);
        let report: Value = serde_json::from_str(&bad.text("gl-code-quality-report.json")).unwrap();
        assert!(report.as_array().unwrap().iter().any(|one| one["check_name"] == "PLAN001"), "{report}");

        let none = Project::new("{}");
        none.job(shell, &[("DOCTOR_DIR", "nowhere")]).exits(2);
        assert!(!none.file("gl-code-quality-report.json").exists());
    }
}

/// A tool of the environment in which the integrations are tested.
fn tool(name: &str) -> PathBuf {
    python("integrations").with_file_name(name)
}

#[test]
fn the_files_are_what_their_services_expect() {
    let check = |schema: &str, file: &Path| {
        let mut command = Program::new(tool("check-jsonschema"));
        command.args(["--builtin-schema", schema]).arg(file);
        if schema.ends_with("gitlab-ci") {
            command.args(["--data-transform", "gitlab-ci"]);
        }
        run(&mut command)
    };
    let folder = tempfile::tempdir().unwrap();
    let template = fs::read_to_string(root().join("templates/osmt-doctor.yml")).unwrap();
    // The schema looks into a job only if its name does not begin with a dot.
    let jobs = template.split_once("\n---\n").unwrap().1.replace(".osmt-doctor", "shared");
    let jobs_alone = folder.path().join("jobs.yml");
    fs::write(&jobs_alone, &jobs).unwrap();
    let mut files =
        vec![("vendor.gitlab-ci", jobs_alone.clone()), ("vendor.github-actions", root().join("action.yml"))];
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        files.push(("vendor.github-workflows", entry.unwrap().path()));
    }
    for (schema, file) in files {
        check(schema, &file).exits(0);
    }
    fs::write(&jobs_alone, jobs.replace("    when: always\n", "    when: allways\n")).unwrap();
    assert_ne!(check("vendor.gitlab-ci", &jobs_alone).exit, 0, "a mistake was not found");
}

#[cfg(unix)]
#[test]
fn the_hook_lets_a_good_config_into_a_commit_and_refuses_a_bad_one() {
    let hooks = tempfile::tempdir().unwrap();
    fs::copy(root().join(".pre-commit-hooks.yaml"), hooks.path().join(".pre-commit-hooks.yaml")).unwrap();
    git(hooks.path(), &["init", "--quiet"]);
    git(hooks.path(), &["add", "--all"]);
    git(hooks.path(), &["commit", "--quiet", "--message", "hooks"]);
    let rev = git(hooks.path(), &["rev-parse", "HEAD"]);

    let project = Project::new(&base("test"));
    fs::remove_dir(project.file(".git")).unwrap();
    let here = project.folder.path();
    git(here, &["init", "--quiet"]);
    let repo = hooks.path().display();
    let config = format!("repos:\n  - repo: {repo}\n    rev: {rev}\n    hooks: [{{ id: osmt-doctor }}]\n");
    fs::write(project.file(".pre-commit-config.yaml"), config).unwrap();
    let home = tempfile::tempdir().unwrap();
    let with_hooks = |mut command: Program| {
        command
            .env("PATH", &project.path)
            .env("PRE_COMMIT_HOME", home.path())
            .env("PRE_COMMIT_COLOR", "never");
        run(command.current_dir(here))
    };
    let mut install = Program::new(tool("pre-commit"));
    install.arg("install");
    with_hooks(install).exits(0);
    let files = [".pre-commit-config.yaml", "terraform"];
    let commit = |message: &str| {
        git(here, &[&["add"][..], &files].concat());
        with_hooks(git_command(here, &["commit", "--message", message]))
    };
    // Around it are git's and pre-commit's own texts.
    commit("good").exits(0).says("osmt-doctor check").says("Passed").lacks("[WARNING]");

    fs::write(project.file(CONFIG), base("test").replace("osmt_db", "osmt")).unwrap();
    commit("bad").exits(1).says("error[RDS001]");
    assert_eq!(git(here, &["log", "--format=%s"]), "good");

    // Another file of the same folder is not the hook's.
    git(here, &["checkout", "--quiet", "HEAD", "--", CONFIG]);
    fs::write(project.file("terraform/invocation/notes.json"), "{").unwrap();
    commit("other").exits(0).says("Skipped");
}

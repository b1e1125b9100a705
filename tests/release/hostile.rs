//! What a repository, a user's configuration or the environment says does not change a verdict and runs no program; a program
//! that does not end is not left behind.

use std::process::{Command as Program, Stdio};
use std::time::{Duration, Instant};

use crate::checkout::Checkout;
use crate::support::run;

/// How a change is hidden in a checkout.
type Hide = fn(&Checkout);

/// The file that a program would make.
fn trap(checkout: &Checkout) -> std::path::PathBuf {
    checkout.repo().parent().unwrap().join("trap")
}

#[test]
fn reading_runs_no_program_of_the_repository() {
    let checkout = Checkout::osmt();
    let trap = trap(&checkout);
    let program = format!("touch {}; cat", trap.display());
    for key in
        ["core.fsmonitor", "filter.a=b.clean", "filter.x.clean", "core.sshCommand", "log.showSignature"]
    {
        let value = if key == "log.showSignature" { "true" } else { &program };
        checkout.git(&["config", key, value]);
    }
    std::fs::write(checkout.repo().join(".git/info/attributes"), "*.xml filter=x\n*.md filter=a=b\n")
        .unwrap();
    let pom = checkout.repo().join("pom.xml");
    let text = std::fs::read_to_string(&pom).unwrap();
    std::fs::write(&pom, format!("{text}<!-- changed -->\n")).unwrap();
    for arguments in [&["list"][..], &["check", "--head"], &["notes"]] {
        run(checkout.release_tool().args(arguments));
        assert!(!trap.exists(), "{arguments:?}");
    }
}

#[test]
fn a_change_is_seen_whatever_hides_it_from_git_status() {
    let hidden: [(&str, Hide); 5] = [
        ("assume-unchanged", |checkout| {
            checkout.git(&["update-index", "--assume-unchanged", "pom.xml"]);
        }),
        ("skip-worktree", |checkout| {
            checkout.git(&["update-index", "--skip-worktree", "pom.xml"]);
        }),
        ("a filter that gives the committed text", |checkout| {
            checkout.git(&["config", "filter.forge.clean", "git show HEAD:pom.xml"]);
            let attributes = checkout.repo().join(".git/info/attributes");
            std::fs::write(attributes, "pom.xml filter=forge\n").unwrap();
        }),
        ("untracked files switched off", |checkout| {
            checkout.git(&["config", "status.showUntrackedFiles", "no"]);
        }),
        ("a file system monitor that saw nothing", |checkout| {
            checkout.git(&["config", "core.fsmonitor", "printf 'x\\0'; true"]);
            checkout.git(&["update-index", "--fsmonitor"]);
            checkout.git(&["status"]);
        }),
    ];
    for (how, hide) in hidden {
        let checkout = Checkout::osmt();
        hide(&checkout);
        let pom = checkout.repo().join("pom.xml");
        let text = std::fs::read_to_string(&pom).unwrap();
        std::fs::write(&pom, format!("{text}<!-- changed -->\n")).unwrap();
        std::fs::write(checkout.repo().join("new.sql"), "SELECT 1;\n").unwrap();
        let (_, found, report) = checkout.check(&["--head"]);
        assert!(found.contains(&"error REL002".to_owned()), "{how}: {report}");
        assert!(report["findings"].to_string().contains("pom.xml"), "{how}: {report}");
    }
}

#[test]
fn a_sparse_checkout_is_not_a_change() {
    let checkout = Checkout::osmt();
    checkout.commit("ui/page.ts", "x");
    checkout.git(&["sparse-checkout", "set", "--no-cone", "/pom.xml", "/api"]);
    assert!(!checkout.repo().join("ui/page.ts").exists());
    let (_, found, report) = checkout.check(&["--head"]);
    assert!(!found.iter().any(|one| one.ends_with("REL002")), "{report}");
}

#[test]
fn a_replaced_commit_and_misleading_variables_change_nothing() {
    let checkout = Checkout::osmt();
    let before = run(checkout.release_tool().args(["list", "--format", "json"]));
    checkout.git(&["replace", "3.0.0^{commit}", "2.4.2^{commit}"]);
    let mut tool = checkout.release_tool();
    tool.env("GIT_DIR", "/nowhere").env("GIT_OBJECT_DIRECTORY", "/nowhere").env("GIT_NAMESPACE", "x");
    tool.env("GIT_LITERAL_PATHSPECS", "1").env("GIT_TRACE", "1");
    let after = run(tool.args(["list", "--format", "json"]));
    assert_eq!((before.exit, before.stdout, before.stderr), (after.exit, after.stdout, after.stderr));
}

#[test]
fn a_damaged_object_is_an_error_and_not_an_empty_file() {
    let checkout = Checkout::osmt();
    checkout.commit("pom.xml", "<project><version>9.9.9</version></project>");
    let blob = checkout.git(&["rev-parse", "HEAD:pom.xml"]);
    let file = checkout.repo().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    std::fs::remove_file(&file).unwrap();
    let object = osmt::git::Repository::open(&checkout.repo()).unwrap();
    let head = object.head().unwrap().to_owned();
    let error = object.file(&head, "pom.xml").unwrap_err();
    assert!(matches!(error, osmt::git::Error::Unreadable { .. }), "{error:?}");
    assert_eq!(object.file(&head, "no-such-file").unwrap(), None);
    std::fs::write(&file, "garbage").unwrap();
    let error = object.file(&head, "pom.xml").unwrap_err();
    let known = matches!(error, osmt::git::Error::Unreadable { .. } | osmt::git::Error::Failed { .. });
    assert!(known, "{error:?}");
}

#[test]
fn a_signal_reaches_the_signing_program_and_what_it_started() {
    let checkout = Checkout::osmt();
    let ids = checkout.repo().parent().unwrap().join("ids");
    let program = checkout.repo().parent().unwrap().join("gpg");
    let script = format!("#!/bin/sh\necho $$ > {0}\nsleep 300 &\necho $! >> {0}\nwait\n", ids.display());
    std::fs::write(&program, script).unwrap();
    assert!(Program::new("chmod").arg("+x").arg(&program).status().unwrap().success());
    checkout.git(&["config", "tag.gpgSign", "true"]);
    checkout.git(&["config", "user.signingKey", "x"]);
    checkout.git(&["config", "gpg.program", program.to_str().unwrap()]);
    for signal in ["INT", "TERM", "HUP"] {
        let _ = std::fs::remove_file(&ids);
        let mut command = checkout.release_tool();
        command.args(["tag", "--offline", "--yes"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let begin = Instant::now();
        while std::fs::read_to_string(&ids).unwrap_or_default().lines().count() < 2 {
            assert!(begin.elapsed() < Duration::from_secs(60), "the signing program was not started");
            std::thread::sleep(Duration::from_millis(50));
        }
        let id = child.id().to_string();
        assert!(Program::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{signal}: {said}");
        assert!(said.contains("interrupted; not finished: git tag"), "{signal}: {said}");
        for id in std::fs::read_to_string(&ids).unwrap().lines() {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            assert!(stat.is_empty() || stat.contains(") Z "), "{signal}: {id} still runs");
        }
    }
}

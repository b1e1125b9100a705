//! A fault at every call of the verbs that write: nothing is lost, and the next run converges.
//!
//! Each call meets one kind of fault, turn by turn; with `OSMT_FAULTS=all` every call meets every kind.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::proxy::{Fault, Proxy};
use crate::support::Emulator;
use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a verb through a proxy with a fault; gives its exit, what it said and the calls.
fn faulted(
    world: &World,
    account: &Emulator,
    verb: &[&str],
    fault: Option<(usize, Fault)>,
) -> (Option<i32>, String, usize) {
    let proxy = Proxy::before(&account.endpoint, fault);
    let mut command = world.program(Some(account));
    command.env("AWS_ENDPOINT_URL", &proxy.endpoint).args(verb);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    proxy.watch(child.id());
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "{verb:?} hangs at {fault:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let ended = child.wait_with_output().unwrap();
    (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned(), proxy.calls().len())
}

/// Prepares, runs with a fault at each call in turn, and lets `converge` prove that nothing is lost.
fn matrix(
    verb: &[&str],
    prepare: impl Fn(&World, &Emulator),
    converge: impl Fn(&World, &Emulator, &str),
) -> usize {
    let account = Emulator::start();
    let (mut at, mut runs) = (0, 0);
    loop {
        let all = std::env::var("OSMT_FAULTS").is_ok_and(|value| value == "all");
        let kinds: Vec<Fault> =
            if all { Fault::ALL.to_vec() } else { vec![Fault::ALL[at % Fault::ALL.len()]] };
        let mut calls = 0;
        for fault in kinds {
            let Some(world) = World::new() else { return 0 };
            prepare(&world, &account);
            let (code, said, count) = faulted(&world, &account, verb, Some((at, fault)));
            assert!(matches!(code, None | Some(0 | 3 | 4)), "{verb:?} {fault:?} at {at}: {code:?} {said}");
            assert!(!said.contains("another user"), "no other user is there: {fault:?} at {at}: {said}");
            converge(&world, &account, &format!("{verb:?} {fault:?} at {at}: {said}"));
            calls = calls.max(count);
            runs += 1;
        }
        at += 1;
        if at > calls {
            return runs;
        }
    }
}

#[test]
fn a_push_with_a_fault_anywhere_is_finished_by_the_next() {
    let runs = matrix(
        &["push", "--yes"],
        |world, _| {
            world.offline("generate rds/password", "").exits(0);
            world.offline("set app/oauth_client_secret", "issued\n").exits(0);
        },
        |world, account, what| {
            world.run(account, "push --yes").exits(0);
            assert_eq!(
                world.held(account, "rds")["password"].as_str(),
                world.kept("rds/password").as_deref(),
                "{what}"
            );
            world.run(account, "verify").exits(0);
        },
    );
    eprintln!("push: {runs} faulted runs");
}

#[test]
fn a_rotation_with_a_fault_anywhere_is_finished_by_the_next() {
    let runs = matrix(&["rotate", "--yes"], World::pushed, |world, account, what| {
        if world.kept("rotation/rds").is_some() {
            world.run(account, "rotate --yes").exits(0);
        }
        assert_eq!(
            world.held(account, "rds")["password"].as_str(),
            world.kept("rds/password").as_deref(),
            "{what}"
        );
        world.run(account, "verify").exits(0);
    });
    eprintln!("rotate: {runs} faulted runs");
}

#[test]
fn a_rollback_with_a_fault_anywhere_is_finished_by_the_next() {
    let runs = matrix(
        &["rollback", "rds/password", "--yes"],
        |world, account| {
            world.pushed(account);
            world.run(account, "rotate --yes").exits(0);
        },
        |world, account, what| {
            if world.kept("rotation/rds").is_some() {
                world.run(account, "rollback rds/password --yes").exits(0);
            }
            assert_eq!(
                world.held(account, "rds")["password"].as_str(),
                world.kept("rds/password").as_deref(),
                "{what}"
            );
            world.run(account, "verify").exits(0);
        },
    );
    eprintln!("rollback: {runs} faulted runs");
}

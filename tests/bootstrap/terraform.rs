//! What `init` renders, given to Terraform itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::init::ANSWERS;
use crate::support::{Emulator, Folder, is_installed, root, run};

const ROLE: &str = "arn:aws:iam::123456789012:role/terraform";

/// What Terraform needs to find its providers, as the scripts find them.
fn providers(folder: &Path) -> BTreeMap<String, String> {
    let script = "import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import providers
print(json.dumps(providers.configuration(Path(sys.argv[2])) | {'program': providers.program()}))";
    let scripts = root().join("scripts/rehearsal");
    let mut python = Command::new("python3");
    let found = run(python.args(["-B", "-c", script]).arg(scripts).arg(folder)).exits(0);
    serde_json::from_value(found.json()).unwrap()
}

#[test]
fn terraform_takes_a_main_tf_with_a_role_and_assumes_it() {
    let emulator = Emulator::start();
    let folder = Folder::empty();
    let copied = Command::new("cp").arg("-r").arg(root().join("terraform")).arg(folder.path()).status();
    assert!(copied.unwrap().success());
    let dir = folder.path().join("terraform/invocation");
    for left in [".terraform", "main.tf", "config.auto.tfvars.json"] {
        let path = dir.join(left);
        let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    }
    emulator.ask(
        "trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'AWS': '123456789012'}, 'Action': 'sts:AssumeRole'}]}
client('iam').create_role(RoleName='terraform', AssumeRolePolicyDocument=json.dumps(trust))",
    );
    let bootstrap = |arguments: &str| {
        let mut command = emulator.osmt("osmt-bootstrap");
        run(command.arg("--dir").arg(&dir).args(arguments.split_whitespace())).exits(0);
    };
    bootstrap(&format!("init {ANSWERS} --assume-role {ROLE} --yes"));
    bootstrap("apply --yes");

    let mut environment = providers(folder.path());
    let program = environment.remove("program").unwrap();
    if !is_installed(&program) {
        println!("skipped: Terraform is not installed");
        return;
    }
    let terraform = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(&dir).args(arguments).envs(&environment).envs(emulator.environment.clone());
        run(&mut command).exits(0);
    };
    terraform(&["init", "-input=false", "-no-color"]);
    let calls = emulator.calls();
    assert!(calls.iter().any(|call| call == "sts:AssumeRole"), "{calls:?}");
    terraform(&["validate", "-no-color"]);
}

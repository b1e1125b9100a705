//! Checks the Terraform directory around a config: files that override it, and a `main.tf` or backend of another deployment.
//!
//! `command` reads the files and the environment. Nothing writes them.

use std::ops::Range;

use hcl_edit::structure::Body;
use serde_json::Value;

use super::region;
use super::rules::workspace::{
    ALL, ENVIRONMENT, INITIALISED, LOCK, MAIN, OVERRIDDEN, OVERRIDE_FILE, PROVIDERS, STATE,
};
use crate::deployment::main_tf::{self, MainTf};
use crate::deployment::{self, Deployment, Lock};
use crate::document::{Document, Kind, Place, Token};
use crate::finding::{Finding, Findings, Rule, Severity, Unknown};

/// A file of the directory.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name in the directory.
    pub name: String,
    /// Its text; `None` if it is not UTF-8.
    pub text: Option<String>,
}

/// The files of the directory and the environment variables.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// The name of the config that was checked.
    pub config: String,
    /// The other files of the directory that Terraform reads automatically, such as `main.tf` and variable files.
    pub files: Vec<File>,
    /// `.terraform/terraform.tfstate`: the backend of the last `terraform init`.
    pub initialised: Option<File>,
    /// The workspace of `.terraform/environment`.
    pub selected: Option<String>,
    /// Variables of the environment whose names begin with `TF_`.
    pub environment: Vec<(String, String)>,
}

/// The findings in one file of the directory.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its name in the directory; `None` for the environment variables.
    pub name: Option<String>,
    /// Its text.
    pub text: String,
    /// What is wrong with it.
    pub findings: Findings,
}

/// Checks the directory against the config.
pub fn judge(workspace: &Workspace, config: Option<&Document>) -> Vec<Judged> {
    let mut all = Collected::default();
    variables(workspace, &mut all);
    environment(workspace, &mut all);
    providers(workspace, &mut all);
    for file in workspace.files.iter().filter(|file| is_override(&file.name)) {
        all.file(file, 0..0, &OVERRIDE_FILE, format!("Terraform merges {} over the other files", file.name))
            .help("check by hand what it changes; osmt-doctor checks the other files only");
    }
    if let Some(main) = workspace.files.iter().find(|file| file.name == "main.tf") {
        match main.text.as_deref().map(MainTf::parse) {
            Some(Ok(parsed)) => deployment(workspace, main, &parsed, config, &mut all),
            other => {
                let reason = match other {
                    Some(Err(error)) => error.to_string(),
                    _ => "main.tf is not UTF-8 text".to_owned(),
                };
                for rule in [&MAIN, &STATE, &LOCK, &INITIALISED] {
                    all.unknown(rule, reason.clone());
                }
            }
        }
    }
    all.finish()
}

/// Findings by file, in the order of the first finding.
#[derive(Default)]
struct Collected {
    files: Vec<Judged>,
}

impl Collected {
    fn entry(&mut self, name: Option<&str>, text: Option<&str>) -> &mut Judged {
        let index = self.files.iter().position(|judged| judged.name.as_deref() == name);
        let index = index.unwrap_or_else(|| {
            let text = text.unwrap_or_default().to_owned();
            self.files.push(Judged { name: name.map(str::to_owned), text, findings: Findings::default() });
            self.files.len() - 1
        });
        &mut self.files[index]
    }

    fn file(&mut self, file: &File, span: Range<usize>, rule: &Rule, message: String) -> &mut Finding {
        let judged = self.entry(Some(&file.name), file.text.as_deref());
        let place = Place::at("", Token::Bytes(span.start, span.end));
        judged.findings.findings.push(Finding::new(rule, Some(place), message));
        judged.findings.findings.last_mut().expect("pushed on the line above")
    }

    fn environment(&mut self, message: String) -> &mut Finding {
        let judged = self.entry(None, None);
        judged.findings.findings.push(Finding::new(&ENVIRONMENT, None, message));
        judged.findings.findings.last_mut().expect("pushed on the line above")
    }

    fn unknown(&mut self, rule: &Rule, reason: String) {
        self.entry(None, None).findings.unknown.push(Unknown { code: rule.code.to_owned(), reason });
    }

    /// Counts the rules without a finding as passed.
    fn finish(mut self) -> Vec<Judged> {
        let quiet = |rule: &&&Rule| {
            self.files.iter().all(|judged| {
                judged.findings.findings.iter().all(|finding| finding.code != rule.code)
                    && judged.findings.unknown.iter().all(|unknown| unknown.code != rule.code)
            })
        };
        let passed = ALL.iter().filter(quiet).count();
        self.entry(None, None).findings.passed = passed;
        self.files
    }
}

/// The position of a variable file in Terraform's order of precedence; later ones win. `None` for files that Terraform reads
/// only with `-var-file`.
fn order(name: &str) -> Option<(u8, &str)> {
    match name {
        "terraform.tfvars" => Some((0, name)),
        "terraform.tfvars.json" => Some((1, name)),
        _ if name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json") => Some((2, name)),
        _ => None,
    }
}

fn is_override(name: &str) -> bool {
    let stem = name.strip_suffix(".tf").or_else(|| name.strip_suffix(".tf.json"));
    stem.is_some_and(|stem| stem == "override" || stem.ends_with("_override"))
}

/// The place at which a variable file sets `config`.
fn sets_config(file: &File) -> Result<Option<Range<usize>>, String> {
    let text = file.text.as_deref().ok_or_else(|| format!("{} is not UTF-8 text", file.name))?;
    let unreadable = |what: &str| format!("{} is not {what}", file.name);
    if file.name.strip_suffix(".json").is_some() {
        let document = Document::parse(text).map_err(|_| unreadable("JSON"))?;
        let Kind::Object(members) = &document.root().kind else { return Ok(None) };
        return Ok(members
            .iter()
            .find(|member| member.key == "config")
            .map(|member| member.key_span.clone()));
    }
    let body: Body = text.parse().map_err(|_| unreadable("in the syntax of Terraform"))?;
    let is_set = body.has_attribute("config");
    Ok(is_set.then(|| text.find("config").map_or(0..0, |at| at..at + "config".len())))
}

fn variables(workspace: &Workspace, all: &mut Collected) {
    let Some(own) = order(&workspace.config) else { return };
    let others = workspace.files.iter().filter(|file| file.name != workspace.config);
    for (file, place) in others.filter_map(|file| Some((file, order(&file.name)?))) {
        match sets_config(file) {
            Err(reason) => all.unknown(&OVERRIDDEN, reason),
            Ok(None) => {}
            Ok(Some(span)) if place > own => {
                let message =
                    format!("Terraform takes `config` from {}, not from {}", file.name, workspace.config);
                all.file(file, span, &OVERRIDDEN, message)
                    .help("remove one of the two; each deployment needs its own directory");
            }
            Ok(Some(span)) => {
                let message = format!("{} replaces the `config` of {}", workspace.config, file.name);
                all.file(file, span, &OVERRIDDEN, message)
                    .severity(Severity::Warning)
                    .help("remove it here: Terraform does not merge the two");
            }
        }
    }
}

fn environment(workspace: &Workspace, all: &mut Collected) {
    let selected = workspace.environment.iter().find(|(name, _)| name == "TF_WORKSPACE");
    let selected = selected.map(|(_, value)| (value.as_str(), "TF_WORKSPACE"));
    let selected = selected.or(workspace.selected.as_deref().map(|name| (name, ".terraform/environment")));
    if let Some((name, by)) = selected.filter(|(name, _)| !matches!(name.trim(), "" | "default")) {
        all.environment(format!(
            "{by} selects the Terraform workspace `{}`, whose state is not that of this deployment",
            name.trim()
        ))
        .help("unset TF_WORKSPACE, or run `terraform workspace select default`");
    }
    for (name, value) in &workspace.environment {
        if name == "TF_VAR_config" {
            all.environment("TF_VAR_config is set; every variable file overrides it".to_owned())
                .severity(Severity::Note)
                .help("unset it");
        } else if name == "TF_CLI_ARGS" || name.starts_with("TF_CLI_ARGS_") {
            const VISIBLE: [&str; 8] = [
                "-var",
                "-var-file",
                "-target",
                "-exclude",
                "-state",
                "-lock",
                "-refresh",
                "-backend-config",
            ];
            // Terraform accepts both `-var` and `--var`.
            let flags = value.split_whitespace().filter(|word| word.starts_with('-'));
            let flags = flags.map(|word| word.trim_start_matches('-').split('=').next().unwrap_or_default());
            let flags: Vec<_> = flags.map(|flag| format!("-{flag}")).collect();
            let found: Vec<_> =
                VISIBLE.into_iter().filter(|flag| flags.iter().any(|given| given == flag)).collect();
            if !found.is_empty() {
                // The values are left out: the value of -var may be a secret.
                all.environment(format!("{name} adds {} to Terraform's commands", found.join(", ")))
                    .help("unset it; what was checked here is not what Terraform will do");
            }
        }
    }
}

fn providers(workspace: &Workspace, all: &mut Collected) {
    let Some(file) = workspace.files.iter().find(|file| file.name == ".terraform.lock.hcl") else { return };
    let Some(body) = file.text.as_deref().map(str::parse::<Body>) else {
        return all.unknown(&PROVIDERS, ".terraform.lock.hcl is not UTF-8 text".to_owned());
    };
    let Ok(body) = body else {
        return all.unknown(&PROVIDERS, ".terraform.lock.hcl is not in the syntax of Terraform".to_owned());
    };
    for block in body.get_blocks("provider") {
        let hashes = block.body.get_attribute("hashes").and_then(|hashes| hashes.value.as_array());
        let hashes: Vec<&str> = hashes.into_iter().flatten().filter_map(|hash| hash.as_str()).collect();
        // A `zh:` checksum is the registry's, one for each platform; `h1:` is that of the platform installed here.
        if hashes.len() == 1 && hashes[0].starts_with("h1:") {
            let name = block.labels.first().map_or("", |label| label.as_str());
            let text = file.text.as_deref().unwrap_or_default();
            let span = text.find(hashes[0]).map_or(0..0, |at| at..at + hashes[0].len());
            all.file(file, span, &PROVIDERS, format!("{name} has the checksum of one platform only"))
                .help("run `terraform providers lock -platform=linux_amd64 -platform=darwin_arm64` and others you use");
        }
    }
}

/// The config's deployment; `None` for a value that is missing or not a string.
struct Wanted {
    account_id: Option<String>,
    region: Option<String>,
    env: Option<String>,
}

impl Wanted {
    fn of(config: Option<&Document>) -> Self {
        let own = |key: &str| match &config?.get(&format!("/config/{key}"))?.kind {
            Kind::String(text) => Some(text.clone()),
            _ => None,
        };
        Self { account_id: own("account_id"), region: own("region"), env: own("env") }
    }

    /// The deployment, if no value is missing.
    fn complete(&self) -> Option<Deployment> {
        let Self { account_id, region, env } = self;
        Some(Deployment { account_id: account_id.clone()?, region: region.clone()?, env: env.clone()? })
    }
}

/// Compares `main.tf` and the last `terraform init` with the config.
fn deployment(
    workspace: &Workspace,
    main: &File,
    parsed: &MainTf,
    config: Option<&Document>,
    all: &mut Collected,
) {
    let wanted = Wanted::of(config);
    check_identity(main, parsed, &wanted, all);
    let written =
        || Ok::<_, main_tf::Error>((parsed.argument("bucket")?, parsed.argument("key")?, parsed.lock()?));
    let (bucket, key, lock) = match written() {
        Ok(written) => written,
        Err(error) => {
            for rule in [&STATE, &LOCK, &INITIALISED] {
                all.unknown(rule, error.to_string());
            }
            return;
        }
    };
    if !parsed.is_in_s3() {
        return;
    }
    if let Some(key) = &key {
        check_key(main, key, &wanted, all);
    }
    if let Some(bucket) = &bucket {
        check_bucket(main, bucket, &wanted, all);
    }
    if lock == Lock::Off {
        let at = main.text.as_deref().and_then(|text| text.find("backend")).unwrap_or(0);
        all.file(
            main,
            at..at + "backend".len(),
            &LOCK,
            "the backend does not lock the state: two runs at the same time can damage it".into(),
        )
        .help("run `osmt-bootstrap init`, or write use_lockfile = true");
    }
    if let Some(file) = &workspace.initialised {
        check_last_init(file, [("bucket", bucket), ("key", key)], all);
    }
}

/// Whether `main.tf` was rendered for the config's deployment.
fn check_identity(main: &File, parsed: &MainTf, wanted: &Wanted, all: &mut Collected) {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let has = parsed.deployment(&Deployment {
        account_id: text(&wanted.account_id),
        region: text(&wanted.region),
        env: text(&wanted.env),
    });
    for (what, has, wants) in [
        ("account", &has.account_id, &wanted.account_id),
        ("region", &has.region, &wanted.region),
        ("environment", &has.env, &wanted.env),
    ] {
        if let Some(wants) = wants
            && has != wants
        {
            let message = format!("main.tf is for the {what} {has}, the config for {wants}");
            all.file(main, literal(main, has), &MAIN, message).help(
                "correct one of the two, or run `osmt-bootstrap init`, which adapts main.tf to the config",
            );
        }
    }
}

/// Whether the state's key is that of another environment.
fn check_key(main: &File, key: &str, wanted: &Wanted, all: &mut Collected) {
    if let Some(env) = &wanted.env
        && let Some(other) = deployment::env_of_state_key(key).filter(|other| other != env)
    {
        let message =
            format!("the state's key is that of the environment {other}, but the config is for {env}");
        all.file(main, literal(main, key), &STATE, message)
            .help(format!("write {}", deployment::state_key(env)));
    }
}

/// Whether the state's bucket is that of another deployment.
fn check_bucket(main: &File, bucket: &str, wanted: &Wanted, all: &mut Collected) {
    let regions = region::all().iter().map(|region| region.name);
    if let Some(wanted) = wanted.complete()
        && let Some(its) = Deployment::of_state_bucket(bucket, regions).filter(|its| *its != wanted)
    {
        let Deployment { account_id, region, env } = &wanted;
        let message = format!(
            "the state's bucket is that of {} in account {}, {}; the config is for {env} in {account_id}, {region}",
            its.env, its.account_id, its.region
        );
        all.file(main, literal(main, bucket), &STATE, message)
            .help(format!("write {}", wanted.state_bucket()));
    }
}

/// Whether the last `terraform init` was for the backend that `main.tf` has.
fn check_last_init(file: &File, wanted: [(&str, Option<String>); 2], all: &mut Collected) {
    let last = match file.text.as_deref().map(serde_json::from_str::<Value>) {
        Some(Ok(last)) => last,
        Some(Err(_)) => return all.unknown(&INITIALISED, format!("{} is not JSON", file.name)),
        None => return all.unknown(&INITIALISED, format!("{} is not UTF-8 text", file.name)),
    };
    for (name, wants) in wanted {
        let has = last["backend"]["config"][name].as_str();
        if let (Some(has), Some(wants)) = (has, wants)
            && has != wants
        {
            let message = format!("`terraform init` was run for the {name} {has}, main.tf has {wants}");
            all.file(file, literal(file, has), &INITIALISED, message)
                .help("run `terraform init -reconfigure`, or `-migrate-state` to move the state");
        }
    }
}

/// The place of a quoted literal in a file.
fn literal(file: &File, value: &str) -> Range<usize> {
    let text = file.text.as_deref().unwrap_or_default();
    let quoted = format!("\"{value}\"");
    text.find(&quoted).map_or(0..0, |at| at..at + quoted.len())
}

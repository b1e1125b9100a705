//! `osmt-secrets exec`: run a command with the secrets in its environment, and mask them in its output.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{Command, Stdio};

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};

use super::child;
use super::deployment::{Deployment, KeyringArg};
use super::entries::{read_all, refuse_unreadable};
use crate::command::{Context, block_on};
use crate::explain::{Exit, Failure};
use crate::plan::{Line, Verb};
use crate::secrets::catalog::{Origin, Secret};
use crate::secrets::db_uri::{self, DbUri};
use crate::secrets::redact::Redactor;
use crate::secrets::remote::{self, Value};
use crate::secrets::{Local, Remote};

/// Run a command with the secrets in its environment and out of its output.
///
/// The names are the container's: `DB_USER`, `DB_PASSWORD`, `OAUTH_CLIENTSECRET`. Standard output and error are copied
/// with every value masked, also in base64, hexadecimal, percent-encoded, quoted for shells, as JSON and as HTML. The
/// exit code is the command's (128 + n where signal n ended it); signals are passed on.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets exec -- ./gradlew bootRun")]
pub(super) struct Exec {
    #[command(flatten)]
    keyring: KeyringArg,
    /// Replace this process with the command (exec); nothing is masked.
    #[arg(long)]
    raw: bool,
    /// The source of the values: this machine's keyring, or Secrets Manager (for CI, without a keyring).
    #[arg(long, value_name = "SOURCE", default_value = "keyring")]
    from: Source,
    /// Only these secrets; can be repeated [default: all].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Another variable for a secret, such as `MYSQL_PWD=rds/password`; can be repeated.
    #[arg(long = "as", value_name = "VARIABLE=NAME")]
    rename: Vec<String>,
    /// Give the command only the secrets and PATH as its environment.
    #[arg(long)]
    pristine: bool,
    /// Also set `DB_URI`, composed for a database at this address, such as the local end of a tunnel.
    #[arg(long, value_name = "HOST:PORT")]
    db_host: Option<String>,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The values of `--from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Source {
    /// The keyring of this machine.
    Keyring,
    /// Secrets Manager.
    Aws,
}

/// A variable of the command. A value without a name is not set, but masked.
struct Variable {
    name: String,
    value: SecretString,
    masked: bool,
}

impl Exec {
    #[expect(clippy::disallowed_methods, reason = "this verb starts a program")]
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let [program, arguments @ ..] = &self.command[..] else {
            return Err(Failure::new(Exit::Usage, "no command was given"));
        };
        let variables = self.variables(deployment)?;
        if deployment.ui.flags.dry_run {
            let names = variables.iter().map(|variable| variable.name.as_str());
            let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
            let program = program.to_string_lossy();
            let what = format!("{program} with {} in its environment", names.join(", "));
            let lines = [Line::new(Verb::Run, what)];
            deployment.ui.show_plan(&lines)?;
            deployment.ui.plan_json("pending", &lines)?;
            return Ok(Exit::Pending);
        }
        let mut command = Command::new(program);
        command.args(arguments);
        if self.pristine {
            command.env_clear();
            command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        }
        for variable in variables.iter().filter(|variable| !variable.name.is_empty()) {
            command.env(&variable.name, variable.value.expose_secret());
        }
        if self.raw {
            return Err(replace_process(command, program));
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let masked = variables.iter().filter(|variable| variable.masked).map(|variable| &variable.value);
        let redactor = Redactor::new(masked);
        drop(variables);
        let code = child::run(command, redactor).map_err(|error| match error {
            child::Error::Start(error) => could_not_run(program, &error),
            child::Error::Output(error) => {
                Failure::new(Exit::Failed, format!("could not write the output of the command: {error}"))
            }
        })?;
        child::end_with(code)
    }

    /// The variables; every value is checked.
    fn variables(&self, deployment: &Deployment<'_>) -> Result<Vec<Variable>, Failure> {
        let mut rows = Vec::new();
        for name in &self.only {
            rows.push(deployment.secret(name)?);
        }
        let mut names: Vec<(String, &Secret)> = Vec::new();
        for given in &self.rename {
            let wrong = || {
                Failure::new(Exit::Usage, "`--as` takes VARIABLE=NAME")
                    .help("for instance `--as MYSQL_PWD=rds/password`")
            };
            let (variable, name) = given.split_once('=').ok_or_else(wrong)?;
            if variable.is_empty() || variable.contains('\0') {
                return Err(wrong());
            }
            names.push((variable.to_owned(), deployment.secret(name)?));
        }
        let chosen: Vec<&Secret> =
            if self.only.is_empty() { deployment.catalog.0.iter().collect() } else { rows };
        for secret in &chosen {
            if !names.iter().any(|(_, renamed)| renamed.name == secret.name) {
                names.push((secret.variable.clone(), secret));
            }
        }
        let mut wanted: Vec<&Secret> = names.iter().map(|(_, secret)| *secret).collect();
        let login = ["rds/username", "rds/password"];
        if self.db_host.is_some() {
            wanted.extend(login.iter().filter_map(|name| deployment.catalog.find(name)));
        }
        let (values, composed) = self.values(deployment, &wanted)?;
        let value = |secret: &Secret| {
            let value = values.iter().find(|(name, _)| *name == secret.name).map(|(_, value)| value.clone());
            value.ok_or_else(|| Failure::new(Exit::Refused, format!("{} has no value", secret.name)))
        };
        let mut variables = Vec::new();
        for (name, secret) in names {
            let masked = !matches!(secret.origin, Origin::Fixed(_));
            variables.push(Variable { name, value: value(secret)?, masked });
        }
        let uri = match &self.db_host {
            None => composed.filter(|_| self.only.is_empty()),
            Some(address) => {
                let (host, port) = host_and_port(address)?;
                let [user, password] = login.map(|name| deployment.secret(name).and_then(value));
                Some(DbUri { user: user?, password: password?, host, port }.compose())
            }
        };
        if let Some(uri) = uri {
            // Only the password in DB_URI is masked: the address is not a secret.
            let password = DbUri::parse(&uri).map_or_else(|| uri.clone(), |uri| uri.password);
            variables.push(Variable { name: "DB_URI".to_owned(), value: uri, masked: false });
            let masked = Variable { name: String::new(), value: password, masked: true };
            variables.push(masked);
        }
        Ok(variables)
    }

    fn values(&self, deployment: &Deployment<'_>, wanted: &[&Secret]) -> Result<Values, Failure> {
        let (local, seen, composed, place) = match self.from {
            Source::Keyring => {
                let keyring = deployment.keyring()?;
                let local = read_all(&keyring, &deployment.catalog)?;
                refuse_unreadable(&local, wanted)?;
                (local, Remote::default(), None, keyring.kind.to_string())
            }
            Source::Aws => {
                let name = deployment.remote_name(db_uri::REMOTE);
                let (seen, composed) = block_on(deployment.ui, async {
                    let session = deployment.open().await?;
                    let client = session.secretsmanager();
                    let (seen, composed) =
                        tokio::join!(deployment.observe(&session), remote::observe(&client, &name));
                    Ok((seen?, composed?))
                })?;
                let composed = match composed.map(|held| held.value) {
                    Some(Value::Object(object)) => object.get(db_uri::KEY),
                    _ => None,
                };
                (Local::default(), seen, composed, "Secrets Manager".to_owned())
            }
        };
        let mut values = Vec::new();
        for secret in wanted {
            let value = match self.from {
                Source::Keyring => local.get(secret),
                Source::Aws => seen.get(secret),
            };
            let value = value.ok_or_else(|| {
                Failure::new(Exit::Refused, format!("{} is not in {place}", secret.name)).help(
                    "`osmt-secrets list` and `diff` show what is missing; `pull` copies it from AWS, `--only` selects other secrets",
                )
            })?;
            secret.check(&value)?;
            values.push((secret.name.clone(), value));
        }
        Ok((values, composed))
    }
}

/// The values by name, and the `DB_URI` in Secrets Manager, which Terraform wrote.
type Values = (Vec<(String, SecretString)>, Option<SecretString>);

fn host_and_port(text: &str) -> Result<(String, u16), Failure> {
    let parts = text.split_once(':').unwrap_or((text, "3306"));
    match (parts.0, parts.1.parse()) {
        (host, Ok(port)) if !host.is_empty() && !host.contains(['@', '/']) => Ok((host.to_owned(), port)),
        _ => Err(Failure::new(Exit::Usage, "`--db-host` takes HOST:PORT, such as 127.0.0.1:3306")),
    }
}

fn could_not_run(program: &OsStr, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("could not run {}: {error}", program.to_string_lossy()))
}

#[cfg(unix)]
fn replace_process(mut command: Command, program: &OsStr) -> Failure {
    use std::os::unix::process::CommandExt as _;
    could_not_run(program, &command.exec())
}

#[cfg(not(unix))]
fn replace_process(mut command: Command, program: &OsStr) -> Failure {
    match command.status() {
        Ok(status) => child::end_with(status.code().unwrap_or(1))
            .err()
            .unwrap_or_else(|| Failure::new(Exit::Failed, "the command ended")),
        Err(error) => could_not_run(program, &error),
    }
}

//! Environment variables. An empty variable counts as unset, and so does `CLICOLOR_FORCE=0`.

use std::ffi::OsString;

use crate::aws::Variables;

/// The environment variables that are UTF-8 text.
pub(super) fn variables() -> Variables {
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

/// Prefixes of the variables that count as unset when empty; `PROXIES` are the others.
const PREFIXES: [&str; 3] = ["AWS_", "OSMT_", "SSL_CERT_"];
const PROXIES: [&str; 8] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// If such a variable is empty, starts this program again without it: the AWS SDK reads the environment by itself, and uses an empty
/// endpoint or profile.
#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "the environment of a running process cannot be changed safely"
)]
pub(super) fn without_empty_variables() {
    use std::os::unix::process::CommandExt as _;

    let is_ours =
        |name: &str| PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || PROXIES.contains(&name);
    // "CLICOLOR_FORCE != 0" forces colour (bixense.com/clicolors); the crate `anstream` accepts any value.
    let is_unset = |name: &OsString, value: &OsString| match name.to_str() {
        Some("CLICOLOR_FORCE") => value == "0",
        Some(name) => value.is_empty() && is_ours(name),
        None => false,
    };
    let empty: Vec<_> =
        std::env::vars_os().filter(|(name, value)| is_unset(name, value)).map(|(name, _)| name).collect();
    if empty.is_empty() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments);
    for name in &empty {
        command.env_remove(name);
    }
    // `exec` returns only on failure; the empty variables are then kept.
    let _ = command.exec();
}

/// Windows has no empty environment variables.
#[cfg(not(unix))]
pub(super) fn without_empty_variables() {}

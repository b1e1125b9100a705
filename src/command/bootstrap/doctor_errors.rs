//! Checks the answers of `init` with the doctor's rules before they are written.

use crate::bootstrap::init;
use crate::doctor;
use crate::doctor::CheckOptions;
use crate::explain::{Exit, Failure};
use crate::finding::{Finding, Severity};

/// The errors of a config, without those about a certificate ARN that is not set yet. With `examples`, names such as example.org are
/// accepted.
pub(super) fn errors(config: &str, examples: bool) -> Vec<Finding> {
    let options = CheckOptions { loopback: examples, ..CheckOptions::default() };
    let checked = doctor::check(config.as_bytes().to_vec(), options);
    let certificate = checked.document.as_ref().and_then(|config| init::text(config, init::CERTIFICATE));
    let mut findings = checked.findings.findings;
    findings.retain(|finding| {
        let place = finding.at.as_ref().map(|at| at.pointer.as_str());
        let is_open = certificate.is_none() && place == Some(init::CERTIFICATE);
        finding.severity == Severity::Error && !is_open
    });
    findings
}

/// The doctor's rule about placeholders and example names.
const PLACEHOLDER: &str = "CFG007";

/// Whether a finding is about the value at a pointer. Example names are allowed.
pub(super) fn is_at(finding: &Finding, pointer: &str) -> bool {
    let at = finding.at.as_ref();
    let rest = at.and_then(|at| at.pointer.strip_prefix(pointer));
    let example = finding.code == PLACEHOLDER && pointer != init::CERTIFICATE;
    !example && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Refuses a flag that one of these errors is about.
pub(super) fn refuse(findings: &[Finding], given: &[(&'static str, &'static str)]) -> Result<(), Failure> {
    for finding in findings {
        if let Some((flag, _)) = given.iter().find(|(_, pointer)| is_at(finding, pointer)) {
            let message = format!("--{flag}: {} ({})", finding.message, finding.code);
            let mut failure = Failure::new(Exit::Usage, message);
            failure.help.clone_from(&finding.help);
            return Err(failure);
        }
    }
    Ok(())
}

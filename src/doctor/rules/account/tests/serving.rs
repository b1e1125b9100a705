//! The app as it answers after a deployment, and what is said of each other answer.

use super::*;
use crate::account::app::{App, Page, Redirect};

/// An app that answers as people need it.
pub(super) fn app(config: &Config) -> App {
    let domain = &config.domain.name;
    let (issuer, client) = (&config.app.oauth.issuer, &config.app.oauth.client_id);
    let target =
        format!("{issuer}/authorize?client_id={client}&redirect_uri=https://{domain}/login/oauth2/code/okta");
    App {
        address: format!("https://{domain}/"),
        certificate: Known::Known(None),
        pages: Known::Known(Page { status: 200, html: true, not_configured: false }),
        health: Known::Known(Health { status: 200, state: Some("UP".into()), down: Vec::new() }),
        sign_in: Known::Known(Redirect { status: 302, target: Some(target) }),
        queue: Known::Known(503),
    }
}

pub(super) fn of(audit: &mut Audit) -> &mut App {
    let Known::Known(Some(app)) = &mut audit.facts.app else { unreachable!("made above") };
    app
}

/// The messages after something was done to the good app; all are warnings.
fn said(spoil: Spoil) -> Vec<String> {
    let mut audit = audit();
    spoil(&mut audit);
    let findings = judge(&audit);
    assert!(findings.findings.iter().all(|one| one.code == "APP001" && one.severity == Severity::Warning));
    findings.findings.into_iter().map(|finding| finding.message).collect()
}

#[test]
fn each_of_the_things_that_people_need_is_reported_plainly() {
    assert_eq!(
        said(|a| of(a).certificate = Known::Known(Some("osmt.example.org: certificate has expired".into()))),
        ["certificate: osmt.example.org: certificate has expired"]
    );
    assert_eq!(
        said(|a| {
            of(a).pages = Known::Known(Page { status: 200, html: true, not_configured: true });
        }),
        ["pages: / answers 200, but the image has no pages"]
    );
    assert_eq!(
        said(|a| {
            let down = vec!["elasticsearch".to_owned()];
            of(a).health = Known::Known(Health { status: 503, state: Some("DOWN".into()), down });
        }),
        ["health: /health answers 503, DOWN: elasticsearch"]
    );
    assert_eq!(said(|a| of(a).queue = Known::Known(200)), ["job queue: /rqueue is open: it answers 200"]);
    let messages = said(|a| {
        let Known::Known(redirect) = &mut of(a).sign_in else { unreachable!("made above") };
        redirect.target =
            redirect.target.take().map(|to| to.replace("redirect_uri=https", "redirect_uri=http"));
    });
    assert!(messages[0].starts_with("sign-in: sign-in returns to http://"), "{messages:?}");
}

#[test]
fn an_app_that_is_not_deployed_passes_and_one_that_does_not_answer_is_unknown_once() {
    assert_eq!(said(|a| a.facts.app = Known::Known(None)), Vec::<String>::new());
    let mut audit = audit();
    let no = || "could not reach osmt.example.org: no such host".to_owned();
    let app = of(&mut audit);
    app.certificate = Known::Unknown(no());
    app.pages = Known::Unknown(no());
    app.health = Known::Unknown(no());
    app.sign_in = Known::Unknown(no());
    app.queue = Known::Unknown(no());
    let findings = judge(&audit);
    assert_eq!((findings.findings.len(), findings.unknown.len()), (0, 1));
    assert!(findings.unknown[0].reason.contains("no such host"));
    // Facts about another domain say nothing of this one.
    of(&mut audit).address = "https://other.example.org/".into();
    assert_eq!(judge(&audit).unknown.len(), 1);
}

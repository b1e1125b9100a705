//! What a finding about a zone shows.

use super::*;

#[test]
fn the_zone_that_is_wrong_is_shown_and_what_others_there_are() {
    let mut audit = audit();
    zones(&mut audit).remove(1);
    let findings = judge(&audit).findings;
    assert_eq!(findings.len(), 1);
    let place = findings[0].at.as_ref().unwrap();
    assert_eq!(place.pointer, "/config/vpc/azs/1");
    assert_eq!(findings[0].help.as_deref(), Some("fit and not named yet: us-west-2c"));
    // A zone of another region is not there either, and nothing is known of a region that was not asked.
    audit.facts.region = "eu-west-1".into();
    audit.facts.zones = Known::Known(Vec::new());
    let said = judge(&audit);
    assert!(said.findings.iter().all(|finding| finding.code != "AZS001"));
    assert!(said.unknown.iter().any(|unknown| unknown.code == "AZS001"));
}

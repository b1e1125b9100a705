//! Account and region, and the certificate's ARN, which contains both.

use crate::arn::{Arn, is_account_id};
use crate::doctor::subject::Subject;
use crate::doctor::{offers, region};
use crate::document::Place;
use crate::finding::{Check, Remedy, Rule, Severity, Sink};

const ACCOUNT: &str = "/config/account_id";
const REGION: &str = "/config/region";
const CERTIFICATE: &str = "/config/alb/certificate_arn";

/// Account, region and certificate.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "ID001",
            name: "malformed-account-id",
            severity: Severity::Error,
            summary: "The account id is not 12 digits",
            explain: include_str!("../../../docs/rules/ID001.md"),
        },
        run: account,
    },
    Check {
        rule: Rule {
            code: "ID002",
            name: "unknown-region",
            severity: Severity::Error,
            summary: "AWS has no such region",
            explain: include_str!("../../../docs/rules/ID002.md"),
        },
        run: region_known,
    },
    Check {
        rule: Rule {
            code: "ID003",
            name: "malformed-certificate-arn",
            severity: Severity::Error,
            summary: "The value is not the ARN of an ACM certificate",
            explain: include_str!("../../../docs/rules/ID003.md"),
        },
        run: certificate_form,
    },
    Check {
        rule: Rule {
            code: "ID004",
            name: "certificate-elsewhere",
            severity: Severity::Error,
            summary: "The certificate is in another partition, region or account",
            explain: include_str!("../../../docs/rules/ID004.md"),
        },
        run: certificate_place,
    },
    Check {
        rule: Rule {
            code: "ID005",
            name: "region-against-all",
            severity: Severity::Error,
            summary: "Zones and certificate are all in another region",
            explain: include_str!("../../../docs/rules/ID005.md"),
        },
        run: region_against_all,
    },
];

fn account(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(text) = subject.text(ACCOUNT) else {
        return;
    };
    if is_account_id(text) {
        return;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let spaced = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ' ' | '.'));
    let (what, help) = if digits.len() == 12 && spaced {
        ("has separators".to_owned(), Remedy::write(digits))
    } else if text.starts_with("arn:") {
        ("is an ARN".to_owned(), "write only the 12 digits in it".into())
    } else if digits.len() == text.len() {
        let count = format!("has {} digits", digits.len());
        (count, "an account id has 12: `aws sts get-caller-identity` shows it, leading zeros included".into())
    } else {
        (
            "is not an account id".to_owned(),
            "write the 12 digits that `aws sts get-caller-identity` shows".into(),
        )
    };
    sink.value(ACCOUNT, format!("account id {text} {what}")).remedy(help);
}

fn region_known(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(text) = subject.text(REGION) else {
        return;
    };
    if region::find(text).is_some() {
        return;
    }
    let of_zone = text.get(..text.len().saturating_sub(1)).and_then(region::find);
    let (what, help) = match (of_zone, region::nearest(text)) {
        (Some(region), _) if text.ends_with(|c: char| c.is_ascii_lowercase()) => {
            ("is a zone, not a region", Remedy::write(region.name))
        }
        (_, Some(near)) if text.eq_ignore_ascii_case(near) => ("is not in lower case", Remedy::write(near)),
        (_, Some(near)) => ("is not a region of AWS", format!("did you mean {near}?").into()),
        _ if region::may_be_new(text) => {
            let message =
                format!("{text} is not in the AWS data of {}, nor is its partition", offers::date());
            let help = "check the spelling; a newer region needs a newer version of this tool";
            sink.value(REGION, message).severity(Severity::Warning).help(help);
            return;
        }
        _ => ("is not a region of AWS", "write the region's code, such as us-west-2".into()),
    };
    sink.value(REGION, format!("{text} {what}")).remedy(help);
}

fn certificate_fault(text: &str) -> Option<(String, &'static str)> {
    const INSTEAD: &str = "`osmt-bootstrap certificate` requests one and writes its ARN";
    let Some(Arn { partition, service, region, account, resource }) = Arn::parse(text) else {
        return Some((format!("{text} is not an ARN"), INSTEAD));
    };
    let new = region::find(region).is_none() && region::may_be_new(region);
    if !(region::is_partition(partition) || new && partition.starts_with("aws-")) {
        return Some((
            format!("`{partition}` is not a partition of AWS"),
            "write aws, or aws-us-gov, aws-cn or aws-eusc where the region is in that partition",
        ));
    }
    match service {
        "acm" => {}
        "iam" => {
            return Some((
                "this certificate is in IAM, not in ACM".into(),
                "import it into ACM, or request one there",
            ));
        }
        "acm-pca" => {
            return Some(("this is a private certificate authority, not a certificate".into(), INSTEAD));
        }
        _ => {
            return Some((format!("this is an ARN of `{service}`, not of ACM"), INSTEAD));
        }
    }
    if region::find(region).is_none() && !(new && region::nearest(region).is_none()) {
        let what = if region.is_empty() {
            "the ARN has no region".into()
        } else {
            format!("{region} is not a region of AWS")
        };
        return Some((what, INSTEAD));
    }
    if !is_account_id(account) {
        return Some((format!("`{account}` in the ARN is not an account id"), "an account id has 12 digits"));
    }
    let Some(id) = resource.strip_prefix("certificate/") else {
        return Some((format!("the ARN is of `{resource}`, not of certificate/…"), INSTEAD));
    };
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    let hex = id.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (lengths != [8, 4, 4, 4, 12] || !hex).then(|| {
        (
            format!("`{id}` is not a certificate id: 32 lower-case hexadecimal digits in five groups"),
            "copy the complete ARN from the ACM console",
        )
    })
}

fn certificate_form(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(text) = subject.text(CERTIFICATE) else {
        return;
    };
    if let Some((message, help)) = certificate_fault(text) {
        sink.value(CERTIFICATE, message).remedy(help);
    }
}

fn certificate_place(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(text) = subject.text(CERTIFICATE).filter(|text| certificate_fault(text).is_none()) else {
        return;
    };
    let Some(Arn { partition, region, account, .. }) = Arn::parse(text) else {
        return;
    };
    let own = region::find(region).map_or(partition, |region| region.partition);
    let help = "`osmt-bootstrap certificate` requests one in the right region and account";
    if partition != own {
        sink.value(CERTIFICATE, format!("region {region} is in partition {own}, not {partition}"))
            .help(format!("write arn:{own}:…"));
        return;
    }
    if subject.region_of_zones_and_certificate().is_some() {
        return;
    }
    if let Some(wanted) = subject.region().filter(|wanted| wanted.name != region) {
        let why = if region == "us-east-1" { "; only CloudFront uses certificates of us-east-1" } else { "" };
        sink.value(
            CERTIFICATE,
            format!("the certificate is in {region}, the load balancer in {}{why}", wanted.name),
        )
        .help(help)
        .related(Place::value(REGION), "the region");
        return;
    }
    if let Some(wanted) = subject.text(ACCOUNT).filter(|text| is_account_id(text) && *text != account) {
        sink.value(
            CERTIFICATE,
            format!("the certificate is in account {account}, the deployment in {wanted}"),
        )
        .help(help)
        .related(Place::value(ACCOUNT), "the account");
    }
}

fn region_against_all(subject: &Subject, sink: &mut Sink<'_>) {
    let (Some(region), Some(other)) = (subject.region(), subject.region_of_zones_and_certificate()) else {
        return;
    };
    sink.value(REGION, format!("region is {}, but zones and certificate are in {}", region.name, other.name))
        .help(format!("write {}, or move zones and certificate", other.name))
        .related(Place::value("/config/vpc/azs"), "the zones")
        .related(Place::value(CERTIFICATE), "the certificate");
}

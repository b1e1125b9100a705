//! RDS instance classes and ElastiCache node types: `db.t4g.small`, `cache.m7g.large`. The snapshot in `offers` lists
//! which region offers which.

use super::offers;
use super::offers::{Offered, Service};
use crate::finding::{Remedy, Severity};

/// What is wrong with a class.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// The finding's message.
    pub message: String,
    /// What to write.
    pub remedy: Remedy,
    /// A note if the snapshot cannot decide.
    pub severity: Severity,
}

/// The service, region and engine that a class is for; `None` if not known.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// RDS or ElastiCache.
    pub service: Service,
    /// A region of the snapshot.
    pub region: Option<&'a str>,
    /// The MySQL release line: `8.4`.
    pub line: Option<&'a str>,
}

/// Why a class cannot be created, and what to write.
pub fn fault(text: &str, wanted: Wanted<'_>) -> Option<Fault> {
    let prefix = wanted.service.prefix();
    let help = || {
        let region = wanted.region.unwrap_or("us-west-2");
        let example = offers::alternatives(wanted.service, "small", region, wanted.line).into_iter().next();
        Remedy::from(format!(
            "use a class such as {}",
            example.unwrap_or_else(|| format!("{prefix}.t4g.small"))
        ))
    };
    let error = |message: String, remedy| Some(Fault { message, remedy, severity: Severity::Error });
    let lower = text.to_lowercase();
    let parts: Vec<&str> = text.split('.').collect();
    let (other, product) = match wanted.service {
        Service::Database => ("cache", "ElastiCache"),
        Service::Cache => ("db", "RDS"),
    };
    if parts.first() == Some(&other) {
        return error(format!("{text} is a class of {product}"), help());
    }
    if parts.first() != Some(&prefix) {
        let prefixed = format!("{prefix}.{text}");
        if fault(&prefixed, wanted).is_none() {
            return error(format!("{text} lacks the prefix `{prefix}.`"), Remedy::write(prefixed));
        }
        if lower != text && fault(&lower, wanted).is_none() {
            return error(format!("{text} has upper case"), Remedy::write(lower));
        }
        return error(format!("{text} is not a class"), help());
    }
    let [_, family, size] = parts[..] else {
        let message = format!("{text} is not a class: {prefix}, family and size, separated by dots");
        return error(message, help());
    };
    if lower != text {
        return error(format!("{text} has upper case"), Remedy::write(lower));
    }
    let alternatives = |region: &str| {
        let found = offers::alternatives(wanted.service, size, region, wanted.line);
        if found.is_empty() { help() } else { format!("use {}", found.join(", ")).into() }
    };
    match offers::class(wanted.service, family, size, wanted.region, wanted.line) {
        Offered::Yes => None,
        Offered::Elsewhere => {
            let region = wanted.region.unwrap_or_default();
            error(
                format!("{text} is not offered in {region} (AWS data of {})", offers::date()),
                alternatives(region),
            )
        }
        Offered::OtherVersion => {
            let line = wanted.line.unwrap_or_default();
            let message = format!("{text} is not offered for MySQL {line} (AWS data of {})", offers::date());
            error(message, alternatives(wanted.region.unwrap_or("us-west-2")))
        }
        Offered::NoData => Some(Fault {
            message: format!(
                "the shipped AWS data does not show whether {} offers {text}",
                wanted.region.unwrap_or("the region")
            ),
            remedy: "the AWS console lists the classes of the region".into(),
            severity: Severity::Note,
        }),
        Offered::Nowhere => Some(nowhere(text, family, size, wanted.service, help())),
    }
}

/// Why no region of the snapshot offers a class, as far as its name shows it.
fn nowhere(text: &str, family: &str, size: &str, service: Service, help: Remedy) -> Fault {
    let prefix = service.prefix();
    let families = offers::families(service);
    if is_newer(family, &families) && is_size(size) {
        return Fault {
            message: format!("{text} is newer than the shipped AWS data of {}", offers::date()),
            remedy: "check in the AWS console that the region offers it".into(),
            severity: Severity::Note,
        };
    }
    let (message, remedy) = if families.contains(&family) {
        (format!("{text}: the family {family} has no size `{size}`"), help)
    } else if RETIRED.contains(&family) {
        (format!("{text}: AWS no longer creates {prefix}.{family}"), help)
    } else {
        let near = families
            .iter()
            .map(|known| (strsim::damerau_levenshtein(family, known), known))
            .filter(|(distance, known)| {
                *distance < 2 && offers::class(service, known, size, None, None) == Offered::Yes
            })
            .min_by_key(|(distance, _)| *distance);
        let help = near.map_or(help, |(_, known)| format!("did you mean {prefix}.{known}.{size}?").into());
        (format!("{text}: {prefix}.{family} is not offered for this engine"), help)
    };
    Fault { message, remedy, severity: Severity::Error }
}

/// Families that AWS documents but no longer creates. Source: Amazon RDS, "Previous generation DB instances".
const RETIRED: [&str; 10] = ["c1", "cr1", "m1", "m2", "m3", "m4", "r3", "r4", "t1", "t2"];

/// Whether a family's generation is newer than every one in the snapshot: `m12g`.
fn is_newer(family: &str, families: &[&str]) -> bool {
    let kind = |family: &str| family.chars().take_while(char::is_ascii_lowercase).collect::<String>();
    let own = kind(family);
    let newest =
        families.iter().filter(|known| kind(known) == own).map(|known| offers::generation(known)).max();
    let generation = offers::generation(family);
    newest.is_some_and(|newest| generation > newest && generation < newest + 5)
}

/// Whether a text has the form of a size.
fn is_size(size: &str) -> bool {
    let number = size.trim_end_matches("xlarge");
    matches!(size, "micro" | "small" | "medium" | "large" | "xlarge")
        || size != number && number.parse::<u32>().is_ok_and(|number| (2..=256).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: Wanted<'_> =
        Wanted { service: Service::Database, region: Some("us-west-2"), line: Some("8.4") };
    const CACHE: Wanted<'_> = Wanted { service: Service::Cache, region: Some("us-west-2"), line: None };

    #[test]
    fn classes_that_exist_pass_and_others_do_not() {
        for good in ["db.t4g.small", "db.m6g.xlarge", "db.r6g.large", "db.r7i.48xlarge", "db.m8a.large"] {
            assert_eq!(fault(good, DATABASE), None, "{good}");
        }
        for bad in [
            "t4g.small",
            "cache.t4g.small",
            "db.t4.small",
            "db.t4g",
            "db.m6g.small",
            "db.t4g.8xlarge",
            "db.m1.small",
            "db.x1e.large",
            "db.serverless",
            "DB.T4G.SMALL",
            "db-t4g-small",
            "",
        ] {
            assert_eq!(fault(bad, DATABASE).map(|fault| fault.severity), Some(Severity::Error), "{bad}");
        }
        assert_eq!(fault("cache.m7g.xlarge", CACHE), None);
        assert!(fault("db.t4g.small", CACHE).is_some() && fault("cache.t4g.large", CACHE).is_some());
    }

    #[test]
    fn a_class_newer_than_the_data_is_a_note() {
        for new in ["db.m12g.large", "db.t5g.small"] {
            assert_eq!(fault(new, DATABASE).unwrap().severity, Severity::Note, "{new}");
        }
        let elsewhere = Wanted { region: Some("eusc-de-east-1"), ..DATABASE };
        assert_eq!(fault("db.t4g.small", elsewhere).unwrap().severity, Severity::Note);
    }

    #[test]
    fn a_class_of_another_region_is_an_error() {
        let fault = fault("db.t4g.small", Wanted { region: Some("ca-west-1"), ..DATABASE }).unwrap();
        assert!(fault.message.contains("not offered in ca-west-1"), "{}", fault.message);
        assert_eq!(fault.severity, Severity::Error);
    }
}

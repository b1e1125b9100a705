//! Instance and node classes: `db.t4g.small`, `cache.m7g.large`.
//!
//! Families and sizes as RDS for MySQL and ElastiCache publish them. A generation newer than this list is let pass.

use crate::finding::Remedy;

/// What a service offers.
pub struct Offer {
    /// `db` or `cache`.
    pub prefix: &'static str,
    /// What the other service's classes start with, for the message.
    pub other: &'static str,
    /// Families that can be created today.
    pub families: &'static [&'static str],
    /// Families that AWS no longer creates.
    pub retired: &'static [&'static str],
    /// A class to name as an example.
    pub example: &'static str,
}

const SIZES: [&str; 17] = [
    "micro", "small", "medium", "large", "xlarge", "2xlarge", "3xlarge", "4xlarge", "6xlarge", "8xlarge",
    "9xlarge", "10xlarge", "12xlarge", "16xlarge", "18xlarge", "24xlarge", "32xlarge",
];
const LARGER: [&str; 2] = ["48xlarge", "metal"];

/// Why a text is no class that can be created, and what to write.
pub fn fault(text: &str, offer: &Offer) -> Option<(String, Remedy)> {
    let Offer { prefix, other, families, retired, example } = *offer;
    let lower = text.to_lowercase();
    let parts: Vec<&str> = text.split('.').collect();
    let help = || Remedy::from(format!("write a class like {example}"));
    if parts.first() == Some(&other) {
        let what = if other == "cache" { "ElastiCache" } else { "RDS" };
        return Some((format!("{text} is a class of {what}"), help()));
    }
    if parts.first() != Some(&prefix) {
        if fault(&format!("{prefix}.{text}"), offer).is_none() {
            return Some((format!("{text} lacks its prefix"), Remedy::write(format!("{prefix}.{text}"))));
        }
        if lower != text && fault(&lower, offer).is_none() {
            return Some((format!("{text} has upper case"), Remedy::write(lower)));
        }
        return Some((format!("{text} is no class"), help()));
    }
    let [_, family, size] = parts[..] else {
        return Some((format!("{text} is no class: {prefix}, family and size, separated by dots"), help()));
    };
    if lower != text {
        return Some((format!("{text} has upper case"), Remedy::write(lower)));
    }
    if retired.contains(&family) {
        return Some((format!("AWS no longer creates {prefix}.{family}"), help()));
    }
    if !SIZES.contains(&size) && !LARGER.contains(&size) {
        return Some((format!("{text}: there is no size `{size}`"), help()));
    }
    if !families.contains(&family) {
        if is_newer(family) {
            return None;
        }
        let near = families
            .iter()
            .map(|known| (strsim::damerau_levenshtein(family, known), known))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, _)| *distance < 2);
        let help =
            near.map_or_else(help, |(_, known)| format!("did you mean {prefix}.{known}.{size}?").into());
        return Some((format!("{text}: there is no family `{family}`"), help));
    }
    let small = ["micro", "small"].contains(&size);
    let burst = family.starts_with('t');
    let misfit = if burst {
        !["micro", "small", "medium", "large", "xlarge", "2xlarge"].contains(&size)
    } else {
        small || size == "medium"
    };
    let cache_burst = burst && prefix == "cache" && size.contains("large");
    (misfit || cache_burst).then(|| (format!("{text}: the family {family} has no size `{size}`"), help()))
}

/// Whether a family is of a generation that this list cannot know yet: `m9g`.
fn is_newer(family: &str) -> bool {
    let digits: String = family.chars().filter(char::is_ascii_digit).collect();
    let kind = family.trim_end_matches(|c: char| c.is_ascii_alphanumeric() && !c.is_ascii_digit()).len();
    let lead: String = family.chars().take_while(char::is_ascii_lowercase).collect();
    let newest = if lead == "t" { 4 } else { 8 };
    matches!(lead.as_str(), "t" | "m" | "r" | "c" | "x")
        && kind > 0
        && digits.parse::<u32>().is_ok_and(|n| n > newest && n < 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::rules::cache::NODES;
    use crate::doctor::rules::database::CLASSES;

    #[test]
    fn classes_that_exist_pass_and_others_do_not() {
        for good in ["db.t4g.small", "db.m6g.xlarge", "db.r6g.large", "db.m9g.large", "db.r7i.48xlarge"] {
            assert_eq!(fault(good, &CLASSES), None, "{good}");
        }
        for bad in [
            "t4g.small",
            "cache.t4g.small",
            "db.t4.small",
            "db.t4g",
            "db.m6g.small",
            "db.t4g.8xlarge",
            "db.m1.small",
            "DB.T4G.SMALL",
            "db-t4g-small",
            "",
        ] {
            assert!(fault(bad, &CLASSES).is_some(), "{bad}");
        }
        assert_eq!(fault("cache.m7g.xlarge", &NODES), None);
        assert!(fault("db.t4g.small", &NODES).is_some() && fault("cache.t4g.large", &NODES).is_some());
    }
}

//! What RDS for MySQL and ElastiCache for Redis offer: a snapshot of published data, made by `scripts/refresh-offers`.
//!
//! The snapshot has one fact on each line. A line is parsed only when it is needed.

use std::sync::LazyLock;

const SNAPSHOT: &str = include_str!("offers.txt");

static LINES: LazyLock<Vec<&'static str>> = LazyLock::new(|| SNAPSHOT.split('\n').collect());

/// An AWS Region.
#[derive(Debug, PartialEq, Eq)]
pub struct Region {
    /// `us-west-2`
    pub name: &'static str,
    /// `aws`, `aws-us-gov`, …
    pub partition: &'static str,
    /// The letters of its zones; empty if they are not published.
    pub zones: &'static str,
}

/// A service that has instance classes or node types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// RDS for MySQL: `db.t4g.small`.
    Database,
    /// ElastiCache for Redis: `cache.t4g.small`.
    Cache,
}

impl Service {
    /// The prefix of its classes.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Database => "db",
            Self::Cache => "cache",
        }
    }
}

/// What the snapshot says about a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It can be created.
    Yes,
    /// Not in this region, but in others.
    Elsewhere,
    /// Not for this MySQL release line, but for another.
    OtherVersion,
    /// Nowhere.
    Nowhere,
    /// The snapshot has no data on this region.
    NoData,
}

/// The day of the data: `2026-10-20`.
pub fn date() -> &'static str {
    rest("date ").next().unwrap_or_default()
}

/// The regions, in the snapshot's order.
pub(super) fn regions() -> impl Iterator<Item = Region> {
    rest("region ").filter_map(|line| {
        let mut words = line.split(' ');
        let (name, partition, zones) = (words.next()?, words.next()?, words.next()?);
        Some(Region { name, partition, zones: zones.trim_start_matches('-') })
    })
}

/// The versions of a MySQL release line that RDS lists, oldest first: `8.0`, `8.4`.
pub fn mysql(line: &str) -> impl Iterator<Item = &'static str> {
    rest(format!("mysql {line} ")).flat_map(|versions| versions.split(' '))
}

/// Whether RDS still lists a version but no longer recommends creating it.
pub fn is_deprecated(line: &str, version: &str) -> bool {
    rest(format!("mysql-deprecated {line} ")).any(|versions| versions.split(' ').any(|one| one == version))
}

/// The versions of Redis that ElastiCache lists.
pub fn redis() -> impl Iterator<Item = &'static str> {
    rest("redis ").flat_map(|versions| versions.split(' '))
}

/// Whether a class (`t4g`, `small`) can be created in a region, for a MySQL release line if one is given.
pub fn class(
    service: Service,
    family: &str,
    size: &str,
    region: Option<&str>,
    line: Option<&str>,
) -> Offered {
    let prefix = service.prefix();
    let has =
        |classes: &'static str| sizes(classes, family).is_some_and(|mut sizes| sizes.any(|one| one == size));
    let for_version =
        service == Service::Cache || line.is_none_or(|line| rest(format!("classes {line} ")).any(has));
    let everywhere = || rest(format!("{prefix} ")).any(has);
    let here = region.map(|region| rest(format!("{prefix} {region} ")).next());
    match here {
        Some(None) if everywhere() => Offered::NoData,
        Some(Some(classes)) if has(classes) && for_version => Offered::Yes,
        Some(Some(classes)) if has(classes) => Offered::OtherVersion,
        None if everywhere() && for_version => Offered::Yes,
        None if everywhere() => Offered::OtherVersion,
        Some(_) if everywhere() => Offered::Elsewhere,
        Some(_) | None => Offered::Nowhere,
    }
}

/// The families that at least one region offers.
pub fn families(service: Service) -> Vec<&'static str> {
    let lines = rest(format!("{} ", service.prefix()));
    let mut found: Vec<_> =
        lines.flat_map(|line| line.split(' ').filter_map(|word| Some(word.split_once(':')?.0))).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Up to three classes of this size that a region offers, burstable and newest first.
pub fn alternatives(service: Service, size: &str, region: &str, line: Option<&str>) -> Vec<String> {
    let prefix = service.prefix();
    let here = rest(format!("{prefix} {region} ")).next().unwrap_or_default();
    // Find these lines once, not for each of about sixty families.
    let of_line = line.filter(|_| service == Service::Database);
    let of_line: Option<Vec<&'static str>> = of_line.map(|line| rest(format!("classes {line} ")).collect());
    let has_size = |sizes: &str| sizes.split(',').any(|one| one == size);
    let is_of_line = |family: &str| {
        let has = |classes: &&'static str| {
            sizes(classes, family).is_some_and(|mut sizes| sizes.any(|one| one == size))
        };
        of_line.as_ref().is_none_or(|lines| lines.iter().any(has))
    };
    let mut fit: Vec<&str> = here
        .split(' ')
        .filter_map(|word| word.split_once(':'))
        .filter(|(family, sizes)| has_size(sizes) && is_of_line(family))
        .map(|(family, _)| family)
        .collect();
    fit.sort_by_key(|family| (!family.starts_with('t'), std::cmp::Reverse(generation(family))));
    fit.into_iter().take(3).map(|family| format!("{prefix}.{family}.{size}")).collect()
}

/// The number in a family's name: `m6g` is 6.
pub fn generation(family: &str) -> u32 {
    let digits = family.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap_or(0)
}

/// The sizes of a family in `m5:large,xlarge m6g:large`.
fn sizes(classes: &'static str, family: &str) -> Option<impl Iterator<Item = &'static str> + use<>> {
    let mut words = classes.split(' ');
    words.find_map(|word| word.strip_prefix(family)?.strip_prefix(':')).map(|sizes| sizes.split(','))
}

/// The rest of each line that starts with a prefix.
fn rest(start: impl AsRef<str>) -> impl Iterator<Item = &'static str> {
    LINES.iter().filter_map(move |line| line.strip_prefix(start.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_looked_up_by_region_and_version() {
        let db = |family, size, region, line| class(Service::Database, family, size, region, line);
        assert_eq!(db("t4g", "small", Some("us-west-2"), Some("8.4")), Offered::Yes);
        assert_eq!(db("t4g", "small", Some("ca-west-1"), Some("8.4")), Offered::Elsewhere);
        assert_eq!(db("t4g", "small", None, None), Offered::Yes);
        assert_eq!(db("m8a", "large", None, Some("8.0")), Offered::OtherVersion);
        assert_eq!(db("t2", "small", Some("us-east-1"), None), Offered::Nowhere);
        assert_eq!(db("t4g", "small", Some("eusc-de-east-1"), None), Offered::NoData);
        assert_eq!(class(Service::Cache, "t4g", "small", Some("me-central-1"), None), Offered::Elsewhere);
        assert_eq!(generation("m6idn"), 6);
        assert!(!alternatives(Service::Database, "small", "ca-west-1", Some("8.4")).is_empty());
    }

    #[test]
    fn versions_are_listed() {
        assert!(mysql("8.4").any(|version| version == "8.4.6") && mysql("8.0").count() > 20);
        assert!(is_deprecated("8.0", "8.0.41") && !is_deprecated("8.4", "8.4.6"));
        assert!(redis().any(|version| version == "7.1"));
        assert_eq!(date().len(), 10);
    }
}

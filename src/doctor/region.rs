//! The AWS Regions and their Availability Zones, from the snapshot in `offers`.

use std::sync::LazyLock;

use super::offers;
pub use super::offers::Region;

static ALL: LazyLock<Vec<Region>> = LazyLock::new(|| offers::regions().collect());

/// Every region of the snapshot.
pub fn all() -> &'static [Region] {
    &ALL
}

/// The region of that name.
pub fn find(name: &str) -> Option<&'static Region> {
    ALL.iter().find(|region| region.name == name)
}

/// Whether AWS has a partition of that name.
pub fn is_partition(name: &str) -> bool {
    ALL.iter().any(|region| region.partition == name)
}

/// The name that was probably meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    ALL.iter()
        .map(|region| (strsim::damerau_levenshtein(&name, region.name), region.name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, name)| name)
}

/// Whether a name has the form of an AWS Region, so that it may be one that is newer than the snapshot.
pub fn may_be_new(name: &str) -> bool {
    const DIRECTIONS: [&str; 9] =
        ["central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"];
    let parts: Vec<&str> = name.split('-').collect();
    let letters = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let [area, middle @ .., direction, number] = parts.as_slice() else { return false };
    let number = number.len() == 1 && matches!(number.as_bytes()[0], b'1'..=b'9');
    let area = match middle {
        [] => letters(area, 2..=2),
        // `us-gov-…`, `us-isof-…`, `eusc-de-…`
        [second] => letters(area, 2..=4) && letters(second, 2..=4),
        _ => false,
    };
    area && number && DIRECTIONS.contains(direction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arn::Partition;

    #[test]
    fn regions_come_from_the_snapshot() {
        assert_eq!(find("us-west-2").unwrap().zones, "abcd");
        assert_eq!(find("eusc-de-east-1").unwrap().partition, "aws-eusc");
        assert!(find("sa-west-1").unwrap().zones.is_empty());
        assert!(is_partition("aws-cn") && !is_partition("aws-moon"));
        assert_eq!(nearest("us-wst-2"), Some("us-west-2"));
    }

    #[test]
    fn the_partition_of_each_region_agrees_with_arn() {
        for region in all() {
            assert_eq!(Partition::of(region.name).name, region.partition, "{}", region.name);
        }
    }

    #[test]
    fn only_well_formed_names_may_be_new_regions() {
        assert!(may_be_new("xx-central-1") && may_be_new("eusc-fr-west-1"));
        for not in ["mars-north-1", "us-west", "us-wst-2", "us-west-22", "", "-", "oregon"] {
            assert!(!may_be_new(not), "{not}");
        }
    }
}

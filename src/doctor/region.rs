//! The regions of AWS and the letters of their zones, as far as this version knows them.
//!
//! Source: "AWS Regions" and "AWS Availability Zones" in AWS's documentation. Opt-in regions are regions.

use crate::config;

/// A region.
#[derive(Debug, PartialEq, Eq)]
pub struct Region {
    /// `us-west-2`
    pub name: &'static str,
    /// The letter of the last zone: zones are `a` to this one.
    pub last_zone: u8,
}

impl Region {
    /// The ARN partition.
    pub fn partition(&self) -> &'static str {
        config::partition(self.name)
    }
}

const fn region(name: &'static str, last_zone: u8) -> Region {
    Region { name, last_zone }
}

/// Every region.
pub const ALL: &[Region] = &[
    region("af-south-1", b'c'),
    region("ap-east-1", b'c'),
    region("ap-east-2", b'c'),
    region("ap-northeast-1", b'd'),
    region("ap-northeast-2", b'd'),
    region("ap-northeast-3", b'c'),
    region("ap-south-1", b'c'),
    region("ap-south-2", b'c'),
    region("ap-southeast-1", b'c'),
    region("ap-southeast-2", b'c'),
    region("ap-southeast-3", b'c'),
    region("ap-southeast-4", b'c'),
    region("ap-southeast-5", b'c'),
    region("ap-southeast-6", b'c'),
    region("ap-southeast-7", b'c'),
    region("ca-central-1", b'd'),
    region("ca-west-1", b'c'),
    region("cn-north-1", b'd'),
    region("cn-northwest-1", b'c'),
    region("eu-central-1", b'c'),
    region("eu-central-2", b'c'),
    region("eu-north-1", b'c'),
    region("eu-south-1", b'c'),
    region("eu-south-2", b'c'),
    region("eu-west-1", b'c'),
    region("eu-west-2", b'c'),
    region("eu-west-3", b'c'),
    region("il-central-1", b'c'),
    region("me-central-1", b'c'),
    region("me-south-1", b'c'),
    region("mx-central-1", b'c'),
    region("sa-east-1", b'c'),
    region("us-east-1", b'f'),
    region("us-east-2", b'c'),
    region("us-gov-east-1", b'c'),
    region("us-gov-west-1", b'c'),
    region("us-west-1", b'c'),
    region("us-west-2", b'd'),
];

/// The region of that name.
pub fn find(name: &str) -> Option<&'static Region> {
    ALL.iter().find(|region| region.name == name)
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

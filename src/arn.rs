//! ARNs, account ids and partitions ("Amazon Resource Names (ARNs)", AWS General Reference). Pure.

/// The parts of an ARN: `arn:partition:service:region:account:resource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// `iam`
    pub service: &'a str,
    /// Empty for a global service.
    pub region: &'a str,
    /// Empty if the name is globally unique, as for a bucket; `aws` for an AWS managed policy.
    pub account: &'a str,
    /// `role/osmt-test-admin`; may contain colons.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Parses an ARN. Does not validate its parts.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let mut part = || parts.next();
        Some(Self {
            partition: part()?,
            service: part()?,
            region: part()?,
            account: part()?,
            resource: part()?,
        })
    }
}

/// Whether a text is the id of an AWS account: 12 digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A partition of AWS (the partitions of the AWS SDKs, `partitions.json`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The name in ARNs.
    pub name: &'static str,
    /// The prefix of the names of its Regions.
    prefix: &'static str,
    /// The domain of its endpoints.
    pub domain: &'static str,
}

const AWS: Partition = Partition { name: "aws", prefix: "", domain: "amazonaws.com" };
/// All partitions except `aws`.
const OTHERS: [Partition; 7] = [
    Partition { name: "aws-us-gov", prefix: "us-gov-", domain: "amazonaws.com" },
    Partition { name: "aws-cn", prefix: "cn-", domain: "amazonaws.com.cn" },
    Partition { name: "aws-eusc", prefix: "eusc-", domain: "amazonaws.eu" },
    Partition { name: "aws-iso", prefix: "us-iso-", domain: "c2s.ic.gov" },
    Partition { name: "aws-iso-b", prefix: "us-isob-", domain: "sc2s.sgov.gov" },
    Partition { name: "aws-iso-e", prefix: "eu-isoe-", domain: "cloud.adc-e.uk" },
    Partition { name: "aws-iso-f", prefix: "us-isof-", domain: "csp.hci.ic.gov" },
];

impl Partition {
    /// The partition of a Region; `aws` if the name has another form.
    pub fn of(region: &str) -> Self {
        OTHERS.into_iter().find(|partition| region.starts_with(partition.prefix)).unwrap_or(AWS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_read_part_by_part() {
        let arn = Arn::parse("arn:aws:logs:us-west-2:123456789012:log-group:a:*").unwrap();
        assert_eq!((arn.partition, arn.service, arn.region), ("aws", "logs", "us-west-2"));
        assert_eq!((arn.account, arn.resource), ("123456789012", "log-group:a:*"));
        assert_eq!(
            Arn::parse("arn:aws:s3:::bucket/key").map(|arn| (arn.account, arn.resource)),
            Some(("", "bucket/key"))
        );
        for not in ["", "arn:aws:s3", "aws:s3:::a:b:c", "arn:aws:iam::123456789012"] {
            assert_eq!(Arn::parse(not), None, "{not}");
        }
    }

    #[test]
    fn a_region_is_of_the_partition_whose_prefix_it_has() {
        for (region, name) in [
            ("us-west-2", "aws"),
            ("us-gov-east-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("", "aws"),
        ] {
            assert_eq!(Partition::of(region).name, name, "{region}");
        }
    }

    #[test]
    fn an_account_id_has_12_digits() {
        assert!(is_account_id("123456789012"));
        for not in ["12345678901x", "12345678901", "１２３４"] {
            assert!(!is_account_id(not), "{not}");
        }
    }
}

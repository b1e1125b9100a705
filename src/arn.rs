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
    /// The domain of its dual-stack endpoints.
    pub dual_stack_domain: &'static str,
    /// The Region for which requests to its global services are signed.
    pub home_region: &'static str,
}

const AWS: Partition = Partition {
    name: "aws",
    prefix: "",
    domain: "amazonaws.com",
    dual_stack_domain: "api.aws",
    home_region: "us-east-1",
};

/// All partitions; the first one has every Region without the prefix of another.
pub const PARTITIONS: [Partition; 8] = [
    AWS,
    Partition { name: "aws-us-gov", prefix: "us-gov-", home_region: "us-gov-west-1", ..AWS },
    Partition {
        name: "aws-cn",
        prefix: "cn-",
        domain: "amazonaws.com.cn",
        dual_stack_domain: "api.amazonwebservices.com.cn",
        home_region: "cn-northwest-1",
    },
    Partition {
        name: "aws-eusc",
        prefix: "eusc-",
        domain: "amazonaws.eu",
        dual_stack_domain: "api.amazonwebservices.eu",
        home_region: "eusc-de-east-1",
    },
    Partition {
        name: "aws-iso",
        prefix: "us-iso-",
        domain: "c2s.ic.gov",
        dual_stack_domain: "api.aws.ic.gov",
        home_region: "us-iso-east-1",
    },
    Partition {
        name: "aws-iso-b",
        prefix: "us-isob-",
        domain: "sc2s.sgov.gov",
        dual_stack_domain: "api.aws.scloud",
        home_region: "us-isob-east-1",
    },
    Partition {
        name: "aws-iso-e",
        prefix: "eu-isoe-",
        domain: "cloud.adc-e.uk",
        dual_stack_domain: "api.cloud-aws.adc-e.uk",
        home_region: "eu-isoe-west-1",
    },
    Partition {
        name: "aws-iso-f",
        prefix: "us-isof-",
        domain: "csp.hci.ic.gov",
        dual_stack_domain: "api.aws.hci.ic.gov",
        home_region: "us-isof-south-1",
    },
];

impl Partition {
    /// The partition of a Region; `aws` if the name has another form.
    pub fn of(region: &str) -> Self {
        let [aws, others @ ..] = PARTITIONS;
        others.into_iter().find(|partition| region.starts_with(partition.prefix)).unwrap_or(aws)
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

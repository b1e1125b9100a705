//! The hosts of AWS's services: of each partition, with FIPS, and dual-stack (IPv4 and IPv6).
//!
//! From "Dual-stack and FIPS endpoints" of the AWS SDKs and Tools Reference Guide and from the endpoint rules that AWS publishes
//! with its SDKs (compared with those of botocore 1.44 for each service here, in eight Regions of five partitions).

use url::{Host, Url};

use crate::arn::{PARTITIONS, Partition};

/// What a host that AWS has not for each service and Region was chosen by.
pub(super) fn chosen_by(host: &str) -> Option<&'static str> {
    if host.contains("-fips.") {
        Some("AWS_USE_FIPS_ENDPOINT (`use_fips_endpoint` of the profile)")
    } else if host.contains(".dualstack.")
        || PARTITIONS.iter().any(|partition| host.ends_with(&format!(".{}", partition.dual_stack_domain)))
    {
        Some("AWS_USE_DUALSTACK_ENDPOINT (`use_dualstack_endpoint` of the profile)")
    } else {
        None
    }
}

/// Which of AWS's endpoints a request goes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) fips: bool,
    /// Dual-stack: IPv4 and IPv6.
    pub(super) dual: bool,
}

/// The host of a service, by the first part of its usual name, in a Region: with FIPS, dual-stack, or both.
pub(super) fn host(service: &str, account_id: &str, region: &str, Kind { fips, dual }: Kind) -> String {
    let partition = Partition::of(region);
    let is_government = partition.name == "aws-us-gov";
    let domain = if dual { partition.dual_stack_domain } else { partition.domain };
    // The usual hosts of most services in GovCloud are FIPS ones, and have no others beside them.
    let named = match service {
        "s3-control" | "api.ecr" | "ecs" => true,
        "route53" => !is_government,
        _ => dual || !is_government,
    };
    let fips = if fips && named { "-fips" } else { "" };
    match service {
        // Global: one endpoint a partition ("Amazon Route 53 endpoints and quotas").
        "route53" if is_government => format!("{service}.us-gov.{domain}"),
        "route53" if dual => format!("{service}{fips}.global.{domain}"),
        "route53" => format!("{service}{fips}.{domain}"),
        // Its dual-stack hosts are in the plain domain.
        "s3-control" if dual => {
            format!("{account_id}.{service}{fips}.dualstack.{region}.{}", partition.domain)
        }
        "s3-control" => format!("{account_id}.{service}{fips}.{region}.{domain}"),
        _ if dual => format!("{}{fips}.{region}.{domain}", service.trim_start_matches("api.")),
        _ => format!("{service}{fips}.{region}.{domain}"),
    }
}

/// Whether an endpoint URL names this machine.
pub fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What botocore 1.44.5 resolves, service by service: the plain host, with FIPS, dual-stack, with both.
    #[test]
    fn each_service_has_its_host_in_each_partition() {
        let gov = "us-gov-west-1";
        for (service, region, hosts) in [
            (
                "ec2",
                "us-east-1",
                [
                    "ec2.us-east-1.amazonaws.com",
                    "ec2-fips.us-east-1.amazonaws.com",
                    "ec2.us-east-1.api.aws",
                    "ec2-fips.us-east-1.api.aws",
                ],
            ),
            (
                "cloudtrail",
                gov,
                [
                    "cloudtrail.us-gov-west-1.amazonaws.com",
                    "cloudtrail.us-gov-west-1.amazonaws.com",
                    "cloudtrail.us-gov-west-1.api.aws",
                    "cloudtrail-fips.us-gov-west-1.api.aws",
                ],
            ),
            (
                "s3-control",
                gov,
                [
                    "1.s3-control.us-gov-west-1.amazonaws.com",
                    "1.s3-control-fips.us-gov-west-1.amazonaws.com",
                    "1.s3-control.dualstack.us-gov-west-1.amazonaws.com",
                    "1.s3-control-fips.dualstack.us-gov-west-1.amazonaws.com",
                ],
            ),
            (
                "api.ecr",
                gov,
                [
                    "api.ecr.us-gov-west-1.amazonaws.com",
                    "api.ecr-fips.us-gov-west-1.amazonaws.com",
                    "ecr.us-gov-west-1.api.aws",
                    "ecr-fips.us-gov-west-1.api.aws",
                ],
            ),
            (
                "ecs",
                gov,
                [
                    "ecs.us-gov-west-1.amazonaws.com",
                    "ecs-fips.us-gov-west-1.amazonaws.com",
                    "ecs.us-gov-west-1.api.aws",
                    "ecs-fips.us-gov-west-1.api.aws",
                ],
            ),
            (
                "access-analyzer",
                "cn-north-1",
                [
                    "access-analyzer.cn-north-1.amazonaws.com.cn",
                    "access-analyzer-fips.cn-north-1.amazonaws.com.cn",
                    "access-analyzer.cn-north-1.api.amazonwebservices.com.cn",
                    "access-analyzer-fips.cn-north-1.api.amazonwebservices.com.cn",
                ],
            ),
            (
                "rds",
                "eusc-de-east-1",
                [
                    "rds.eusc-de-east-1.amazonaws.eu",
                    "rds-fips.eusc-de-east-1.amazonaws.eu",
                    "rds.eusc-de-east-1.api.amazonwebservices.eu",
                    "rds-fips.eusc-de-east-1.api.amazonwebservices.eu",
                ],
            ),
        ] {
            let variants = [(false, false), (true, false), (false, true), (true, true)];
            assert_eq!(
                variants.map(|variant| host(service, "1", region, Kind { fips: variant.0, dual: variant.1 })),
                hosts,
                "{service} {region}"
            );
        }
    }

    #[test]
    fn a_host_says_which_setting_chose_it() {
        for (host, word) in [
            ("sts-fips.us-east-1.amazonaws.com", Some("FIPS")),
            ("sts-fips.us-east-1.api.aws", Some("FIPS")),
            ("route53.global.api.aws", Some("DUALSTACK")),
            ("1.s3-control.dualstack.us-west-2.amazonaws.com", Some("DUALSTACK")),
            ("sts.us-east-1.amazonaws.com", None),
            ("127.0.0.1", None),
        ] {
            assert_eq!(chosen_by(host).is_some(), word.is_some(), "{host}");
            assert!(word.is_none_or(|word| chosen_by(host).unwrap().contains(word)), "{host}");
        }
    }

    #[test]
    fn route_53_has_one_endpoint_in_a_partition() {
        for (region, (fips, dual), expected, home) in [
            ("eu-west-1", (false, false), "route53.amazonaws.com", "us-east-1"),
            ("us-west-2", (true, false), "route53-fips.amazonaws.com", "us-east-1"),
            ("us-west-2", (false, true), "route53.global.api.aws", "us-east-1"),
            ("us-west-2", (true, true), "route53-fips.global.api.aws", "us-east-1"),
            ("cn-north-1", (false, false), "route53.amazonaws.com.cn", "cn-northwest-1"),
            ("us-gov-east-1", (true, false), "route53.us-gov.amazonaws.com", "us-gov-west-1"),
            ("us-gov-east-1", (false, true), "route53.us-gov.api.aws", "us-gov-west-1"),
            ("us-iso-west-1", (false, false), "route53.c2s.ic.gov", "us-iso-east-1"),
            ("us-isob-east-1", (false, false), "route53.sc2s.sgov.gov", "us-isob-east-1"),
            ("eusc-de-east-1", (false, false), "route53.amazonaws.eu", "eusc-de-east-1"),
        ] {
            assert_eq!(host("route53", "1", region, Kind { fips, dual }), expected);
            assert_eq!(Partition::of(region).home_region, home, "{region}");
        }
    }

    #[test]
    fn only_this_machine_is_this_machine() {
        for local in
            ["http://127.0.0.1:5555", "http://127.8.0.1", "https://LOCALHOST:4566/x", "http://[::1]:80"]
        {
            assert!(is_loopback(local), "{local}");
        }
        for other in [
            "http://localhost.example.org",
            "http://127.evil.example",
            "http://127.0.0.1@example.org",
            "http://10.0.0.1:5555",
            "127.0.0.1:5555",
            "",
        ] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}

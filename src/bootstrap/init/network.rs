//! Chooses availability zones and computes subnets from one address block. Pure.

use ipnet::Ipv4Net;

use crate::account::Zone;

/// The prefix length of the smallest subnet that a load balancer accepts.
const SMALLEST_SUBNET: u8 = 27;

/// One block for each zone and kind of subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnets {
    /// Tasks, database, cache.
    pub private: Vec<String>,
    /// Load balancer and NAT gateways.
    pub public: Vec<String>,
}

/// Two zone names that every account has in a region. The letters are mapped to zones per account, and some regions lack a letter.
pub fn zones(region: &str) -> Vec<String> {
    let letters = match region {
        // New accounts have no zone b in this region.
        "ap-northeast-1" => ["a", "c"],
        _ => ["a", "b"],
    };
    letters.map(|letter| format!("{region}{letter}")).into()
}

/// The id of the zone without Graviton instances, which the default config uses.
const ZONE_WITHOUT_GRAVITON: &str = "use1-az3";

/// Two of the zones that an account can use, with the reason; `None` if there are fewer than two.
pub fn pick(zones: &[Zone]) -> Option<(Vec<String>, String)> {
    let mut fit: Vec<&Zone> = zones.iter().filter(|zone| zone.is_fit()).collect();
    let of = fit.len();
    // This zone is used only if there is no other.
    fit.sort_by_key(|zone| zone.id == ZONE_WITHOUT_GRAVITON);
    let chosen = fit.get(..2)?;
    let passed = zones.iter().find(|old| {
        let later = |other: &&Zone| other.name > old.name;
        old.id == ZONE_WITHOUT_GRAVITON && old.is_fit() && !chosen.contains(old) && chosen.iter().any(later)
    });
    let why = match passed {
        Some(old) => {
            format!("these are the first two of {of} except {}, which lacks newer instance types", old.name)
        }
        None => format!("these are the first two of {of}"),
    };
    Some((chosen.iter().map(|zone| zone.name.clone()).collect(), why))
}

/// Refuses a block of public addresses: the hosts with these addresses could not be reached from the VPC.
pub fn refuse_public(text: &str) -> Result<(), String> {
    let Ok(block) = text.parse::<Ipv4Net>() else {
        return Err(format!("{text} is not an IPv4 block like 192.168.100.0/24"));
    };
    let shared = Ipv4Net::new_assert([100, 64, 0, 0].into(), 10);
    let private = [
        Ipv4Net::new_assert([10, 0, 0, 0].into(), 8),
        Ipv4Net::new_assert([172, 16, 0, 0].into(), 12),
        Ipv4Net::new_assert([192, 168, 0, 0].into(), 16),
        shared,
    ];
    if private.iter().any(|all| all.contains(&block)) {
        Ok(())
    } else {
        Err(format!(
            "{text} is a block of public addresses; use one inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
        ))
    }
}

/// Divides the block into equal slots, one for each zone and kind of subnet. A subnet uses the first half of its slot if that is
/// large enough; the other half is free for growth.
pub fn subnets(vpc: &str, zones: usize) -> Result<Subnets, String> {
    let net: Ipv4Net =
        vpc.parse().map_err(|_| format!("{vpc} is not an IPv4 block like 192.168.100.0/24"))?;
    if net.trunc().to_string() != vpc {
        return Err(format!("{vpc} is not the address of a network; did you mean {}?", net.trunc()));
    }
    if !(16..=28).contains(&net.prefix_len()) {
        return Err(format!("{vpc}: a VPC must be a /16 to /28"));
    }
    let slots = (2 * zones).next_power_of_two();
    let bits = u8::try_from(slots.trailing_zeros()).unwrap_or(u8::MAX);
    let slot = net.prefix_len().saturating_add(bits);
    if slot > SMALLEST_SUBNET {
        return Err(format!(
            "{vpc} is too small for {} subnets of /{SMALLEST_SUBNET}, the smallest that a load balancer accepts; use a /{} or larger",
            2 * zones,
            SMALLEST_SUBNET.saturating_sub(bits)
        ));
    }
    let size = (slot + 1).min(SMALLEST_SUBNET);
    let mut blocks = net
        .subnets(slot)
        .map_err(|error| error.to_string())?
        .filter_map(|slot| Ipv4Net::new(slot.network(), size).ok())
        .map(|block| block.to_string());
    let private = blocks.by_ref().take(zones).collect();
    // Public subnets are in the second half of the VPC, so that one route or rule can name all of them.
    let public = blocks.skip(slots / 2 - zones).take(zones).collect();
    Ok(Subnets { private, public })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_config_has_the_computed_subnets() {
        let subnets = subnets("192.168.100.0/24", 2).unwrap();
        assert_eq!(subnets.private, ["192.168.100.0/27", "192.168.100.64/27"]);
        assert_eq!(subnets.public, ["192.168.100.128/27", "192.168.100.192/27"]);
    }

    #[test]
    fn blocks_never_overlap_and_are_inside() {
        for (vpc, zones) in [
            ("10.0.0.0/16", 2),
            ("10.0.0.0/16", 3),
            ("172.16.4.0/22", 3),
            ("10.1.2.0/25", 2),
            ("10.1.2.0/24", 4),
        ] {
            let subnets = subnets(vpc, zones).unwrap();
            let vpc: Ipv4Net = vpc.parse().unwrap();
            let all: Vec<Ipv4Net> =
                subnets.private.iter().chain(&subnets.public).map(|block| block.parse().unwrap()).collect();
            assert_eq!(all.len(), 2 * zones);
            for (index, block) in all.iter().enumerate() {
                assert!(vpc.contains(block) && block.prefix_len() <= SMALLEST_SUBNET);
                assert!(all[..index].iter().all(|other| !other.contains(block) && !block.contains(other)));
            }
        }
    }

    #[test]
    fn two_suitable_zones_are_chosen_with_the_reason() {
        let zone = |name: &str, id: &str, state: &str, kind: &str| Zone {
            name: name.into(),
            id: id.into(),
            state: state.into(),
            kind: kind.into(),
        };
        let fit = |name, id| zone(name, id, "available", "availability-zone");
        let mut zones = vec![
            zone("us-east-1-bos-1a", "use1-bos1-az1", "available", "local-zone"),
            fit("us-east-1a", "use1-az3"),
            zone("us-east-1b", "use1-az1", "impaired", "availability-zone"),
            fit("us-east-1c", "use1-az2"),
        ];
        // Only two zones are suitable, so both are used.
        let (names, why) = pick(&zones).unwrap();
        assert_eq!(names, ["us-east-1c", "us-east-1a"]);
        assert_eq!(why, "these are the first two of 2");
        zones.push(fit("us-east-1d", "use1-az4"));
        let (names, why) = pick(&zones).unwrap();
        assert_eq!(names, ["us-east-1c", "us-east-1d"]);
        assert!(why.contains("first two of 3 except us-east-1a"), "{why}");
        assert_eq!(pick(&zones[..3]), None);
    }

    #[test]
    fn a_block_that_cannot_work_is_refused() {
        assert!(subnets("10.0.0.0/26", 2).unwrap_err().contains("/25"));
        assert!(subnets("10.0.0.1/24", 2).unwrap_err().contains("10.0.0.0/24"));
        assert!(subnets("10.0.0.0/8", 2).is_err());
        assert!(subnets("fd00::/64", 2).is_err());
    }
}

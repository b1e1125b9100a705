//! IPv4 CIDR blocks: the form that AWS and Terraform accept, and what is wrong with others.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::finding::Remedy;

/// Parses `10.20.0.0/24`; `None` for a text with leading zeros, host bits or no mask.
pub fn block(text: &str) -> Option<Ipv4Net> {
    let (address, mask) = text.split_once('/')?;
    let address: Ipv4Addr = address.parse().ok()?;
    let block = Ipv4Net::new(address, prefix(mask)?).ok()?;
    (block.trunc() == block).then_some(block)
}

fn prefix(mask: &str) -> Option<u8> {
    let canonical = mask == "0" || !mask.starts_with(['0', '+']);
    mask.parse().ok().filter(|_| canonical)
}

/// Why a text is not a CIDR block, and what to write.
pub fn fault(text: &str) -> Option<(String, Remedy)> {
    if block(text).is_some() {
        return None;
    }
    let example = || Remedy::from("write four numbers and a mask, as in 10.20.0.0/24");
    let (address, mask) = text.split_once('/').map_or((text, None), |(address, mask)| (address, Some(mask)));
    if text.contains(':') && address.parse::<std::net::Ipv6Addr>().is_ok() {
        return Some((format!("{text} is an IPv6 block; only IPv4 is used here"), example()));
    }
    let plain: Vec<String> = address
        .split('.')
        .map(|number| number.trim_start_matches('0'))
        .map(|n| if n.is_empty() { "0".into() } else { n.to_owned() })
        .collect();
    let parsed = address.parse::<Ipv4Addr>();
    let fault = match (parsed, mask) {
        (Err(_), _)
            if plain.join(".").parse::<Ipv4Addr>().is_ok() && address.split('.').all(|n| !n.is_empty()) =>
        {
            let mask = mask.map_or(String::new(), |mask| format!("/{mask}"));
            let plain = format!("{}{mask}", plain.join("."));
            (format!("{text} has leading zeros"), Remedy::Write(plain))
        }
        (Err(_), _) if address.split('.').filter_map(|n| n.parse::<u32>().ok()).any(|n| n > 255) => {
            (format!("{text} has a number above 255"), example())
        }
        (Err(_), _) => (format!("{text} is not an IPv4 block"), example()),
        (Ok(address), None) => {
            let help = match address.octets() {
                [0, 0, 0, 0] => Remedy::Write("0.0.0.0/0".to_owned()),
                [.., 0] => format!("add the mask, as in {address}/24").into(),
                _ => format!("write {address}/32 for this one address").into(),
            };
            (format!("{text} has no mask"), help)
        }
        (Ok(_), Some(mask)) if mask.parse::<Ipv4Addr>().is_ok() => {
            (format!("{text} has a dotted mask"), "write the number of bits, as in /24".into())
        }
        (Ok(address), Some(mask)) => match prefix(mask).and_then(|mask| Ipv4Net::new(address, mask).ok()) {
            Some(block) => (
                format!("{text} has host bits: the block starts at {}", block.network()),
                Remedy::Write(block.trunc().to_string()),
            ),
            None => (format!("{text} has no mask from 0 to 32"), example()),
        },
    };
    Some(fault)
}

/// Whether the block is inside a range for private networks (RFC 1918, RFC 6598).
pub fn is_private(block: &Ipv4Net) -> bool {
    PRIVATE.iter().any(|(address, prefix)| Ipv4Net::new_assert((*address).into(), *prefix).contains(block))
}

/// Whether the block is inside a range of RFC 1918.
pub fn is_rfc1918(block: &Ipv4Net) -> bool {
    is_private(block) && block.network().is_private()
}

const PRIVATE: [([u8; 4], u8); 4] =
    [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16), ([100, 64, 0, 0], 10)];

/// The addresses of a subnet that can be used: AWS reserves five.
pub fn usable(block: &Ipv4Net) -> u64 {
    (1u64 << (32 - block.prefix_len())).saturating_sub(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_canonical() {
        assert!(block("10.0.0.0/8").is_some() && block("0.0.0.0/0").is_some());
        let wrong = [
            "10.0.0.1/8",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "010.0.0.0/8",
            "::/0",
            "10.0.0/8",
            "a/8",
            "",
        ];
        for text in wrong {
            assert!(block(text).is_none() && fault(text).is_some(), "{text}");
        }
        assert_eq!(fault("10.0.0.1/8").unwrap().1, Remedy::Write("10.0.0.0/8".into()));
        assert_eq!(fault("10.01.0.0/16").unwrap().1, Remedy::Write("10.1.0.0/16".into()));
    }
}

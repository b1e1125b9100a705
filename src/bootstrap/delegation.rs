//! Asks the resolver which name servers the world is sent to for a zone; one question, one answer, over UDP.
//!
//! A certificate waits for ever where the parent delegates elsewhere. Behind a split DNS the answer may be an inner one,
//! so what is learnt here is said and never forbids.

use std::net::IpAddr;
use std::net::UdpSocket;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);
const NS: u16 = 2;

/// The name servers of a zone as a resolver sees them, sorted; an empty list where the zone is not delegated at all.
///
/// Blocks for two seconds at most; `None` where nothing was learnt.
pub fn name_servers(resolver: IpAddr, zone: &str) -> Option<Vec<String>> {
    let socket = UdpSocket::bind(if resolver.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    })
    .ok()?;
    socket.set_read_timeout(Some(PATIENCE)).ok()?;
    socket.connect((resolver, 53)).ok()?;
    socket.send(&question(zone)?).ok()?;
    let mut packet = [0; 4096];
    let length = socket.recv(&mut packet).ok()?;
    answer(packet.get(..length)?)
}

/// The first resolver that a `resolv.conf` names.
pub fn resolver(text: &str) -> Option<IpAddr> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        .find_map(|rest| rest.trim().parse().ok())
}

/// A query with recursion for the NS records of a name (RFC 1035 §4).
fn question(zone: &str) -> Option<Vec<u8>> {
    let mut packet = vec![0x05, 0x37, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in zone.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| *length < 64)?;
        packet.push(length);
        packet.extend(label.as_bytes());
    }
    packet.extend([0, 0, 2, 0, 1]);
    Some(packet)
}

/// The NS records in an answer; `None` where the resolver did not say.
fn answer(packet: &[u8]) -> Option<Vec<String>> {
    let short = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    let (flags, questions, answers) = (short(2)?, short(4)?, short(6)?);
    match flags & 0xf {
        0 => {}
        // There is no such name.
        3 => return Some(Vec::new()),
        _ => return None,
    }
    let mut at = 12;
    for _ in 0..questions {
        at = name(packet, at)?.1 + 4;
    }
    let mut servers = Vec::new();
    for _ in 0..answers {
        at = name(packet, at)?.1;
        let (kind, length) = (short(at)?, short(at + 8)?);
        at += 10;
        if kind == NS {
            servers.push(name(packet, at)?.0.to_lowercase());
        }
        at += usize::from(length);
    }
    servers.sort();
    Some(servers)
}

/// Reads a name, compressed or not, and where the packet goes on after it.
fn name(packet: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut at, mut after, mut labels) = (start, None, Vec::new());
    // A name has at most 127 labels; more means that it points at itself.
    for _ in 0..128 {
        let length = usize::from(*packet.get(at)?);
        match length {
            0 => return Some((labels.join("."), after.unwrap_or(at + 1))),
            0xc0.. => {
                after.get_or_insert(at + 2);
                at = ((length & 0x3f) << 8) | usize::from(*packet.get(at + 1)?);
            }
            _ => {
                let label = packet.get(at + 1..=at + length)?;
                labels.push(String::from_utf8_lossy(label).into_owned());
                at += 1 + length;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_compressed_names_is_read() {
        let mut packet = question("example.org").unwrap();
        packet[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 2]);
        for server in [&b"\x02ns\xc0\x0c"[..], b"\x03NS2\x01a\x00"] {
            packet.extend([0xc0, 12, 0, 2, 0, 1, 0, 0, 0, 60, 0]);
            packet.push(u8::try_from(server.len()).unwrap());
            packet.extend(server);
        }
        assert_eq!(answer(&packet).unwrap(), ["ns.example.org", "ns2.a"]);
    }

    #[test]
    fn no_such_name_and_no_answer_are_different_things() {
        let mut packet = question("example.org").unwrap();
        packet[3] = 3;
        assert_eq!(answer(&packet), Some(Vec::new()));
        packet[3] = 2;
        assert_eq!(answer(&packet), None);
    }

    #[test]
    fn a_broken_packet_is_no_answer() {
        let mut packet = question("example.org").unwrap();
        packet[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1]);
        packet.extend([0xc0, 29, 0, 2]);
        for length in 0..packet.len() {
            assert_eq!(answer(&packet[..length]), None);
        }
        // It points at itself.
        assert_eq!(name(&[0xc0, 0], 0), None);
    }

    #[test]
    fn the_resolver_is_the_first_named() {
        assert_eq!(
            resolver("# x\nsearch a\nnameserver fe80::1%eth0\nnameserver 10.0.0.2\n"),
            Some([10, 0, 0, 2].into())
        );
        assert_eq!(resolver("options edns0"), None);
    }
}

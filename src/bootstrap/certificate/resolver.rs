//! NS, CAA and CNAME records of a name in public DNS, from a recursive resolver.
//!
//! With split DNS this machine's resolver may return internal records; the user can name another resolver.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::base::iana::Rcode;
use domain::base::{Name, Rtype};
use domain::rdata::AllRecordData;
use domain::resolv::StubResolver;
use domain::resolv::stub::conf::{ResolvConf, ServerConf, Transport};

/// The timeout of one query.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A resolver's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// The records; empty if the name does not exist.
    Found(T),
    /// SERVFAIL: the name's servers do not answer for it, or its DNSSEC signatures are not valid.
    ServFail,
    /// No resolver is used, or it did not answer; with the reason.
    Unknown(String),
}

/// A recursive resolver, or none.
#[derive(Debug)]
pub struct Resolver(Option<StubResolver>);

impl Resolver {
    /// Every answer is unknown.
    pub const NONE: Self = Self(None);

    /// The resolvers of this machine, from `/etc/resolv.conf`.
    pub fn of_this_machine() -> Self {
        Self::with(ResolvConf::default())
    }

    /// The resolver at an address.
    pub fn at(address: SocketAddr) -> Self {
        let mut conf = ResolvConf::new();
        conf.servers.push(ServerConf::new(address, Transport::UdpTcp));
        Self::with(conf)
    }

    fn with(mut conf: ResolvConf) -> Self {
        conf.options.timeout = TIMEOUT;
        conf.options.attempts = 1;
        conf.finalize();
        Self(Some(StubResolver::from_conf(conf)))
    }

    /// The name servers of a zone, without the final dot, sorted; empty if the zone is not delegated.
    pub async fn name_servers(&self, zone: &str) -> Answer<Vec<String>> {
        match self.ask(zone, Rtype::NS).await {
            Answer::Found(servers) => {
                let servers = servers.iter().map(|server| server.trim_end_matches('.').to_lowercase());
                let mut servers: Vec<String> = servers.collect();
                servers.sort();
                Answer::Found(servers)
            }
            other => other,
        }
    }

    /// The CAA records of a name, as in a zone file: `0 issue "amazon.com"`. A CNAME is followed, as RFC 8659 (section 3)
    /// requires.
    pub async fn caa(&self, name: &str) -> Answer<Vec<String>> {
        self.ask(name, Rtype::CAA).await
    }

    /// The target of a CNAME record, without the final dot.
    pub async fn alias(&self, name: &str) -> Answer<Option<String>> {
        match self.ask(name, Rtype::CNAME).await {
            Answer::Found(targets) => {
                Answer::Found(targets.first().map(|target| target.trim_end_matches('.').to_lowercase()))
            }
            Answer::ServFail => Answer::ServFail,
            Answer::Unknown(reason) => Answer::Unknown(reason),
        }
    }

    /// The records of one type at a name, as in a zone file.
    async fn ask(&self, name: &str, kind: Rtype) -> Answer<Vec<String>> {
        let Some(resolver) = &self.0 else {
            return Answer::Unknown("no resolver is used".to_owned());
        };
        match records(resolver, name, kind).await {
            Ok(Some(records)) => Answer::Found(records),
            Ok(None) => Answer::ServFail,
            Err(reason) => Answer::Unknown(format!("no answer from a DNS resolver: {reason}")),
        }
    }
}

/// The records, empty if the name does not exist; `None` for SERVFAIL.
async fn records(resolver: &StubResolver, name: &str, kind: Rtype) -> Result<Option<Vec<String>>, String> {
    let name: Name<Vec<u8>> = name.parse().map_err(text)?;
    let answer = resolver.query((name, kind)).await.map_err(text)?;
    match answer.header().rcode() {
        Rcode::NOERROR => {}
        Rcode::NXDOMAIN => return Ok(Some(Vec::new())),
        Rcode::SERVFAIL => return Ok(None),
        other => return Err(other.to_string()),
    }
    let mut found = Vec::new();
    for record in answer.answer().map_err(text)? {
        let record = record.map_err(text)?;
        if record.rtype() == kind {
            let record = record.to_any_record::<AllRecordData<_, _>>();
            found.push(record.map_err(text)?.data().to_string());
        }
    }
    Ok(Some(found))
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// Parses the value of `--resolver`: `1.1.1.1`, `[2606:4700::1111]:53`.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .or_else(|_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53)))
        .map_err(|_| "neither `none` nor the address of a resolver, like 1.1.1.1".to_owned())
}

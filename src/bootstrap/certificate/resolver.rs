//! What the world is told of a name: its name servers and its CAA records, as a recursive DNS resolver finds them.
//!
//! Behind a split DNS this machine's own resolver may show an inner world; another one can be named.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::base::iana::Rcode;
use domain::base::{Name, Rtype};
use domain::rdata::AllRecordData;
use domain::resolv::StubResolver;
use domain::resolv::stub::conf::{ResolvConf, ServerConf, Transport};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a resolver says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<T> {
    /// This.
    This(T),
    /// That it asked and got no answer that holds (SERVFAIL): the servers that the name is delegated to do not know it, or
    /// their signatures are broken.
    Broken,
    /// Nothing, and why: nobody is asked, or nobody answered.
    Nothing(String),
}

/// A recursive resolver, or nobody.
#[derive(Debug)]
pub struct Resolver(Option<StubResolver>);

impl Resolver {
    /// Nobody, who knows nothing.
    pub const NOBODY: Self = Self(None);

    /// The resolvers that this machine is set up with, as `/etc/resolv.conf` names them.
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
        conf.options.timeout = PATIENCE;
        conf.options.attempts = 1;
        conf.finalize();
        Self(Some(StubResolver::from_conf(conf)))
    }

    /// The name servers that a zone is delegated to, without the last dot, sorted; empty where it is not delegated.
    pub async fn name_servers(&self, zone: &str) -> Told<Vec<String>> {
        let mut told = self.ask(zone, Rtype::NS).await;
        if let Told::This(servers) = &mut told {
            for server in servers.iter_mut() {
                *server = server.trim_end_matches('.').to_lowercase();
            }
            servers.sort();
        }
        told
    }

    /// The CAA records at just that name, as a zone file has them: `0 issue "amazon.com"`.
    pub async fn caa(&self, name: &str) -> Told<Vec<String>> {
        self.ask(name, Rtype::CAA).await
    }

    /// The records of one type at a name, in the form of a zone file.
    async fn ask(&self, name: &str, kind: Rtype) -> Told<Vec<String>> {
        let Some(resolver) = &self.0 else {
            return Told::Nothing("nobody is asked".to_owned());
        };
        match records(resolver, name, kind).await {
            Ok(Some(records)) => Told::This(records),
            Ok(None) => Told::Broken,
            Err(reason) => Told::Nothing(format!("no answer of a DNS resolver: {reason}")),
        }
    }
}

/// The records; none where there is no such name, `None` where the resolver says that it could not find out.
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

/// A resolver as it is named on the command line: `1.1.1.1`, `[2606:4700::1111]:53`.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .or_else(|_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53)))
        .map_err(|_| "neither `none` nor the address of a resolver, like 1.1.1.1".to_owned())
}

//! Which proxy a request goes through: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, as the AWS CLI reads them.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::aws::error::Error;
use crate::aws::variables::Variables;

/// The proxies that the environment names, and the hosts that are reached without one.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    /// For requests to `http://` addresses.
    pub(super) http: Option<Proxy>,
    /// For requests to `https://` addresses.
    pub(super) https: Option<Proxy>,
    exempt: Vec<Exempt>,
}

/// One proxy.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    /// Its address, without user and password.
    pub(super) url: Url,
    /// User and password, where the variable holds them.
    pub(super) login: Option<Login>,
    /// The address and the variable that names it; what people are shown.
    pub(super) shown: String,
}

/// User and password of a proxy.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}

impl Login {
    /// The value of `Proxy-Authorization`.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let encoded = STANDARD.encode(format!("{}:{}", self.user, self.password));
        let mut value = HeaderValue::from_str(&format!("Basic {encoded}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// One entry of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exempt {
    /// `*`
    All,
    /// `10.0.0.0/8`
    Network(IpNet),
    /// A host, or a domain with everything below it; with a port only that port.
    Host { name: String, port: Option<u16> },
}

impl Proxies {
    pub(super) fn of(variables: &Variables) -> Result<Self, Error> {
        // The small letters first, as in the AWS CLI and curl.
        let one = |names: [&str; 4]| {
            let named = names.into_iter().find_map(|name| Some((name, variables.get(name)?)));
            named.map(|(name, value)| Proxy::parse(name, value)).transpose()
        };
        let exempt = variables.get("no_proxy").or(variables.get("NO_PROXY")).unwrap_or_default();
        Ok(Self {
            http: one(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            https: one(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            exempt: exempt.split(',').filter_map(Exempt::parse).collect(),
        })
    }

    /// The proxy that a request to this address goes through.
    pub(super) fn of_url(&self, url: &Url) -> Option<&Proxy> {
        let proxy = if url.scheme() == "http" { &self.http } else { &self.https };
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default();
        let is_exempt = self.exempt.iter().any(|entry| entry.matches(host, port));
        proxy.as_ref().filter(|_| !is_exempt)
    }
}

impl Proxy {
    fn parse(name: &str, value: &str) -> Result<Self, Error> {
        let wrong = |reason| Error::Proxy { name: name.to_owned(), reason };
        let whole = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let mut url = Url::parse(&whole).map_err(|error| wrong(error.to_string()))?;
        let host = url.host_str().ok_or_else(|| wrong("it names no host".to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(format!("proxies of the scheme {} are not supported", url.scheme())));
        }
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let shown = format!("{}://{host}{port} ({name})", url.scheme());
        let text = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let login = (!url.username().is_empty()).then(|| Login {
            user: text(url.username()),
            password: text(url.password().unwrap_or_default()),
        });
        // An address of these schemes may have both.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_path("/");
        url.set_query(None);
        Ok(Self { url, login, shown })
    }
}

impl Exempt {
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim().to_lowercase();
        if entry == "*" {
            return Some(Self::All);
        }
        if let Ok(network) = entry.parse() {
            return Some(Self::Network(network));
        }
        let (name, port) = match entry.rsplit_once(':') {
            // Not the last part of an IPv6 address.
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
                (name, Some(port.parse().ok()?))
            }
            _ => (entry.as_str(), None),
        };
        let name = bare(name);
        let name = name.strip_prefix('*').unwrap_or(name).trim_start_matches('.');
        (!name.is_empty()).then(|| Self::Host { name: name.to_owned(), port })
    }

    fn matches(&self, host: &str, port: Option<u16>) -> bool {
        let host = bare(host).to_lowercase();
        match self {
            Self::All => true,
            Self::Network(network) => host.parse::<IpAddr>().is_ok_and(|address| network.contains(&address)),
            Self::Host { name, port: only } => {
                let below = host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'));
                let is_address = host.parse::<IpAddr>().is_ok();
                (host == *name || (below && !is_address)) && (only.is_none() || *only == port)
            }
        }
    }
}

/// A host without the brackets of an IPv6 address and without a final dot.
fn bare(host: &str) -> &str {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Proxies {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Proxies::of(&variables.collect()).unwrap()
    }

    fn used<'a>(proxies: &'a Proxies, url: &str) -> Option<&'a str> {
        proxies.of_url(&Url::parse(url).unwrap()).map(|proxy| proxy.shown.as_str())
    }

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        for (value, expected) in [
            ("http://ann:secret@proxy.example.org:8080", "http://proxy.example.org:8080 (HTTPS_PROXY)"),
            ("ann:secret@proxy:3128", "http://proxy:3128 (HTTPS_PROXY)"),
            ("proxy:3128", "http://proxy:3128 (HTTPS_PROXY)"),
            ("https://proxy/", "https://proxy (HTTPS_PROXY)"),
        ] {
            let proxy = Proxy::parse("HTTPS_PROXY", value).expect("a proxy");
            assert_eq!(proxy.shown, expected);
            assert!(!format!("{proxy:?}").contains("secret"));
        }
        for wrong in ["socks5://proxy:1080", "http://", "http://[::1"] {
            assert!(Proxy::parse("HTTPS_PROXY", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn user_and_password_are_decoded() {
        let proxy = Proxy::parse("HTTPS_PROXY", "http://ann%40school:p%3Aw%25@proxy:1").unwrap();
        let header = proxy.login.unwrap().header().unwrap();
        assert_eq!(header, format!("Basic {}", STANDARD.encode("ann@school:p:w%")));
        assert!(Proxy::parse("HTTPS_PROXY", "http://proxy:1").unwrap().login.is_none());
    }

    #[test]
    fn the_scheme_decides_which_proxy_and_small_letters_come_first() {
        let proxies =
            of(&[("HTTP_PROXY", "plain:1"), ("https_proxy", "small:2"), ("HTTPS_PROXY", "large:3")]);
        assert_eq!(used(&proxies, "http://example.org"), Some("http://plain:1 (HTTP_PROXY)"));
        assert_eq!(used(&proxies, "https://example.org"), Some("http://small:2 (https_proxy)"));
        let all = of(&[("ALL_PROXY", "all:4")]);
        assert_eq!(used(&all, "https://example.org"), Some("http://all:4 (ALL_PROXY)"));
        assert_eq!(used(&of(&[]), "https://example.org"), None);
    }

    #[test]
    fn no_proxy_exempts_hosts_domains_networks_and_ports() {
        let cases = [
            ("example.org", "https://example.org", true),
            ("example.org", "https://sts.EXAMPLE.org", true),
            ("example.org", "https://notexample.org", false),
            (".example.org", "https://example.org", true),
            (".example.org", "https://a.b.example.org", true),
            ("*.example.org", "https://a.example.org", true),
            ("*.example.org", "https://a.example.com", false),
            ("*", "https://example.org", true),
            ("*", "http://127.0.0.1", true),
            ("other.org, example.org", "https://example.org", true),
            ("Example.Org.", "https://example.org", true),
            ("example.org:443", "https://example.org", true),
            ("example.org:8443", "https://example.org", false),
            ("example.org:8443", "https://example.org:8443", true),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("127.0.0.1", "http://127.0.0.1:5555", true),
            ("127.0.0.1:5555", "http://127.0.0.1:5555", true),
            ("127.0.0.1:80", "http://127.0.0.1:5555", false),
            ("0.0.1", "http://127.0.0.1", false),
            ("::1", "http://[::1]:5555", true),
            ("[::1]:5555", "http://[::1]:5555", true),
            ("fd00::/8", "http://[fd12::1]", true),
            ("", "https://example.org", false),
            (",,", "https://example.org", false),
        ];
        for (entry, url, exempt) in cases {
            let proxies = of(&[("ALL_PROXY", "proxy:1"), ("NO_PROXY", entry)]);
            assert_eq!(used(&proxies, url).is_none(), exempt, "{entry}: {url}");
        }
    }
}

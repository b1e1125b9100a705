//! Reads from a container registry whether an image exists, its digest, its platforms, and the commit that it was built from.
//!
//! The protocol is that of the OCI Distribution Specification and of the CNCF Distribution project's page "Token Authentication
//! Specification". Only manifests and the image's configuration are downloaded.

mod credentials;
mod origin;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_auth::{ChallengeRef, parse_challenges};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error as ThisError;
use url::Url;
use url::form_urlencoded::Serializer;

use self::origin::origin;
use crate::account::Known;
use crate::deployment::image::Reference;
use crate::web::{self, Reply, Request, Web};

pub use credentials::{Credential, Docker, ecr};

const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";
/// The label with the commit that an image was built from (OCI image specification, "Pre-Defined Annotation Keys").
const REVISION: &str = "org.opencontainers.image.revision";
/// More redirects than this are a loop.
const MAX_REDIRECTS: usize = 5;

/// Operating system and processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// `linux`
    pub os: String,
    /// `amd64`, `arm64`
    pub architecture: String,
}

impl Platform {
    /// Linux on an ECS CPU architecture, `X86_64` or `ARM64`.
    pub fn of_task(cpu_architecture: &str) -> Self {
        let architecture = if cpu_architecture == "ARM64" { "arm64" } else { "amd64" };
        Self { os: "linux".into(), architecture: architecture.into() }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)
    }
}

/// An image in a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Image {
    /// The digest that the tag points to: of the manifest, or of the index if there are several platforms.
    pub digest: String,
    /// The platforms that it runs on.
    pub platforms: Vec<Platform>,
    /// The digest of the manifest for the wanted platform; `None` if the image does not support it.
    pub manifest: Option<String>,
    /// The commit that it was built from, according to its labels.
    pub revision: Option<String>,
}

impl Image {
    /// Whether the digest is the one of the tag or of the platform's manifest.
    pub fn has_digest(&self, digest: &str) -> bool {
        self.digest == digest || self.manifest.as_deref() == Some(digest)
    }
}

/// A request to a registry failed.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub enum Error {
    /// No connection.
    #[error(transparent)]
    Unreachable(#[from] web::Error),
    /// The credentials are not sufficient. Some registries also answer this for a repository that does not exist.
    #[error("{host} denied access to {repository}: it does not exist, or requires other credentials{note}")]
    Denied {
        /// The registry.
        host: String,
        /// The repository.
        repository: String,
        /// What is known about the credentials.
        note: String,
    },
    /// Too many requests.
    #[error(
        "{0} rejected the request because of its rate limit; try again later, or sign in with `docker login`"
    )]
    RateLimited(String),
    /// Another status.
    #[error("{host} answered {status}")]
    Status {
        /// The registry.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// The response does not follow the specification.
    #[error("{host} sent an invalid response: {what}")]
    InvalidResponse {
        /// The registry.
        host: String,
        /// What is wrong with it.
        what: String,
    },
}

/// Reads an image. `Known(None)` means that the registry does not have it.
pub async fn find_image(
    web: &Web,
    reference: &Reference,
    wanted: &Platform,
    credential: &Credential,
) -> Known<Option<Image>> {
    match image(web, reference, wanted, credential).await {
        Ok(image) => Known::Known(image),
        Err(error) => Known::Unknown(error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    manifests: Option<Vec<Entry>>,
    #[serde(default)]
    config: Option<Entry>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Entry {
    digest: String,
    #[serde(default)]
    platform: Option<Machine>,
}

/// The fields that an index's platform and an image's configuration share.
#[derive(Deserialize)]
struct Machine {
    os: String,
    architecture: String,
    #[serde(default)]
    config: Option<Labels>,
}

#[derive(Deserialize)]
struct Labels {
    #[serde(default, rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

impl Machine {
    fn platform(&self) -> Platform {
        Platform { os: self.os.clone(), architecture: self.architecture.clone() }
    }
}

async fn image(
    web: &Web,
    reference: &Reference,
    wanted: &Platform,
    credential: &Credential,
) -> Result<Option<Image>, Error> {
    let mut session = Session { web, reference, credential, authorization: None };
    let Some((digest, manifest)) = session.manifest(&reference.version).await? else {
        return Ok(None);
    };
    let Some(entries) = &manifest.manifests else {
        let machine = session.machine(&manifest).await?;
        let found = machine.platform();
        return Ok(Some(Image {
            manifest: (found == *wanted).then(|| digest.clone()),
            revision: revision(&machine, &[&manifest]),
            platforms: vec![found],
            digest,
        }));
    };
    // Build tools add attestations as entries with an unknown platform.
    let offered: Vec<(&Entry, Platform)> = entries
        .iter()
        .filter_map(|entry| Some((entry, entry.platform.as_ref()?.platform())))
        .filter(|(_, platform)| platform.os != "unknown")
        .collect();
    let mut image = Image {
        digest,
        platforms: offered.iter().map(|(_, platform)| platform.clone()).collect(),
        manifest: None,
        revision: manifest.annotations.get(REVISION).cloned(),
    };
    if let Some((entry, _)) = offered.iter().find(|(_, platform)| platform == wanted) {
        let host = reference.registry.clone();
        let missing = || Error::InvalidResponse {
            host,
            what: format!("the manifest {} of its index does not exist", entry.digest),
        };
        let (digest, inner) = session.manifest(&entry.digest).await?.ok_or_else(missing)?;
        let machine = session.machine(&inner).await?;
        image.revision = revision(&machine, &[&inner, &manifest]);
        image.manifest = Some(digest);
    }
    Ok(Some(image))
}

/// The commit: from the label of the image's configuration, otherwise from an annotation.
fn revision(machine: &Machine, manifests: &[&Manifest]) -> Option<String> {
    let labels = machine.config.as_ref().and_then(|config| config.labels.as_ref());
    let label = labels.and_then(|labels| labels.get(REVISION));
    let annotation = || manifests.iter().find_map(|manifest| manifest.annotations.get(REVISION));
    label.or_else(annotation).filter(|text| !text.is_empty()).cloned()
}

/// One repository and, after the first challenge, its token.
struct Session<'a> {
    web: &'a Web,
    reference: &'a Reference,
    credential: &'a Credential,
    authorization: Option<SecretString>,
}

impl Session<'_> {
    /// A manifest by tag or digest, with its digest.
    async fn manifest(&mut self, version: &str) -> Result<Option<(String, Manifest)>, Error> {
        let Some(reply) = self.get("manifests", version).await? else {
            return Ok(None);
        };
        let digest = self.digest(&reply, version)?;
        let manifest: Manifest = self.read(&reply)?;
        if manifest.manifests.is_none() && manifest.config.is_none() {
            return Err(self.invalid("the manifest does not have schema version 2"));
        }
        Ok(Some((digest, manifest)))
    }

    /// The image's configuration, with platform and labels.
    async fn machine(&mut self, manifest: &Manifest) -> Result<Machine, Error> {
        let Some(config) = &manifest.config else {
            return Err(self.invalid("its index contains another index"));
        };
        let Some(reply) = self.get("blobs", &config.digest).await? else {
            return Err(self.invalid("the image's configuration does not exist"));
        };
        self.digest(&reply, &config.digest)?;
        self.read(&reply)
    }

    fn invalid(&self, what: &str) -> Error {
        Error::InvalidResponse { host: self.reference.registry.clone(), what: what.to_owned() }
    }

    fn read<'r, T: Deserialize<'r>>(&self, reply: &'r Reply) -> Result<T, Error> {
        serde_json::from_slice(&reply.body).map_err(|error| self.invalid(&error.to_string()))
    }

    /// The digest of the content, which must match the requested one and the response header.
    fn digest(&self, reply: &Reply, asked: &str) -> Result<String, Error> {
        let hash = Sha256::digest(&reply.body);
        let digest = hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"));
        let named = reply.header("docker-content-digest");
        let expected = [named, Some(asked)].into_iter().flatten();
        match expected.filter(|text| text.starts_with("sha256:")).find(|text| **text != digest) {
            Some(other) => Err(self.invalid(&format!("the content of {other} has the digest {digest}"))),
            None => Ok(digest),
        }
    }

    /// Reads a document of the repository; authenticates if the registry requires it.
    async fn get(&mut self, kind: &str, version: &str) -> Result<Option<Reply>, Error> {
        let Reference { registry: host, repository, .. } = self.reference;
        let url = format!("{}/v2/{repository}/{kind}/{version}", origin(self.reference));
        let url = Url::parse(&url).map_err(|error| self.invalid(&error.to_string()))?;
        let mut reply = self.follow(url.clone()).await?;
        if reply.status == 401 && self.authorization.is_none() {
            self.authorization = self.authorize(&reply).await?;
            if self.authorization.is_some() {
                reply = self.follow(url).await?;
            }
        }
        match reply.status {
            200 => Ok(Some(reply)),
            404 => Ok(None),
            401 | 403 => Err(self.denied()),
            429 => Err(Error::RateLimited(host.clone())),
            status => Err(Error::Status { host: host.clone(), status }),
        }
    }

    fn denied(&self) -> Error {
        let note = match self.credential {
            Credential::Anonymous(None) => " (no credentials found for this registry)".to_owned(),
            Credential::Anonymous(Some(why)) => format!(" ({why})"),
            Credential::Password(..) | Credential::IdentityToken(_) => String::new(),
        };
        let Reference { registry: host, repository, .. } = self.reference;
        Error::Denied { host: host.clone(), repository: repository.clone(), note }
    }

    /// Follows redirects. Credentials are sent only to the registry itself.
    async fn follow(&self, mut url: Url) -> Result<Reply, Error> {
        let origin = url.origin();
        for _ in 0..MAX_REDIRECTS {
            let request = Request {
                accept: ACCEPT,
                authorization: self.authorization.clone().filter(|_| url.origin() == origin),
                ..Request::get(url.clone())
            };
            let reply = self.web.send(request).await?;
            match reply.redirect(&url) {
                Some(next) if next.scheme() == "https" || next.scheme() == url.scheme() => url = next,
                Some(_) => return Err(self.invalid("it redirects from https to http")),
                None => return Ok(reply),
            }
        }
        Err(self.invalid("too many redirects"))
    }

    /// Answers a challenge: `Bearer` with a token from its realm, `Basic` with the credentials themselves.
    async fn authorize(&self, reply: &Reply) -> Result<Option<SecretString>, Error> {
        for header in reply.headers_of("www-authenticate") {
            let challenges = parse_challenges(header)
                .map_err(|_| self.invalid("its authentication challenge cannot be parsed"))?;
            for challenge in &challenges {
                if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    return self.token(challenge).await.map(Some);
                }
                if challenge.scheme.eq_ignore_ascii_case("basic") {
                    return Ok(self.credential.basic());
                }
            }
        }
        Ok(None)
    }

    async fn token(&self, challenge: &ChallengeRef<'_>) -> Result<SecretString, Error> {
        #[derive(Deserialize)]
        struct Token {
            token: Option<SecretString>,
            access_token: Option<SecretString>,
        }
        let parameter = |name: &str| {
            let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        let realm = parameter("realm").and_then(|realm| Url::parse(&realm).ok());
        let mut realm = realm
            .ok_or_else(|| self.invalid("its authentication challenge does not name a token service"))?;
        if realm.scheme() != "https" && origin(self.reference).starts_with("https:") {
            return Err(self.invalid("its token service does not use TLS"));
        }
        let scope = format!("repository:{}:pull", self.reference.repository);
        let service = parameter("service").unwrap_or_default();
        let mut request = Request::get(realm.clone());
        if let Credential::IdentityToken(token) = self.credential {
            let form = Serializer::new(String::new())
                .append_pair("grant_type", "refresh_token")
                .append_pair("client_id", "osmt-toolkit")
                .append_pair("service", &service)
                .append_pair("scope", &scope)
                .append_pair("refresh_token", token.expose_secret())
                .finish();
            request.form = Some(form.into());
        } else {
            realm.query_pairs_mut().append_pair("service", &service).append_pair("scope", &scope);
            request = Request { authorization: self.credential.basic(), ..Request::get(realm.clone()) };
        }
        let reply = self.web.send(request).await?;
        let host = web::host(&realm);
        match reply.status {
            200 => {}
            400 | 401 | 403 => return Err(self.denied()),
            429 => return Err(Error::RateLimited(host)),
            status => return Err(Error::Status { host, status }),
        }
        let token: Token = serde_json::from_slice(&reply.body).map_err(|_| Error::InvalidResponse {
            host: host.clone(),
            what: "the response has no token".into(),
        })?;
        let token = token.token.or(token.access_token);
        let token = token.ok_or(Error::InvalidResponse { host, what: "the response has no token".into() })?;
        Ok(format!("Bearer {}", token.expose_secret()).into())
    }
}

impl Credential {
    /// The header for HTTP Basic authentication. Docker sends an identity token with the user name `<token>`.
    fn basic(&self) -> Option<SecretString> {
        let pair = match self {
            Self::Anonymous(_) => return None,
            Self::Password(name, password) => format!("{name}:{}", password.expose_secret()),
            Self::IdentityToken(token) => format!("<token>:{}", token.expose_secret()),
        };
        Some(format!("Basic {}", STANDARD.encode(pair)).into())
    }
}

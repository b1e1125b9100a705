//! Opens a session: profile, credentials, Region, endpoints and retries as the AWS CLI reads them; refuses the wrong account.

use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_types::retry::RetryConfig;

use super::call::call;
use super::error::{Error, Source};
use super::listener::CallLog;
use super::profiles::Profiles;
use super::session::{SERVICES, Session};
use super::variables::Variables;
use super::variant::Variant;
use super::{cli, http};

/// How the user wants AWS to be reached; what is `None` comes from the AWS default chain.
#[derive(Clone, Default)]
pub struct Settings {
    /// `--profile`
    pub profile: Option<String>,
    /// `--region`, or the config's.
    pub region: Option<String>,
    /// `--endpoint-url`
    pub endpoint_url: Option<String>,
    /// Reports every call: service, operation, time; never a value.
    pub log: Option<CallLog>,
    /// The environment: where the profiles are, which proxy and which certificates are used.
    pub variables: Variables,
}

/// How long credentials may take: a `credential_process` may ask for a second factor.
const CREDENTIALS: Duration = Duration::from_secs(300);

/// Opens a session. With an expected account, another one is refused before anything is written.
pub async fn open(settings: &Settings, expected: Option<&str>) -> Result<Session, Error> {
    prepare(settings).await?.verified(expected).await
}

/// A session whose account AWS has not confirmed yet.
pub struct Unverified {
    session: Session,
    profiles: Profiles,
    profile: Option<String>,
}

impl Unverified {
    /// A session for reads beside the question whose account it is: what they find counts only if the account is this one.
    #[must_use]
    pub fn assuming(&self, account_id: &str) -> Session {
        Session { account_id: account_id.to_owned(), ..self.session.clone() }
    }

    /// Asks AWS whose account it is. With an expected account, another one is refused.
    pub async fn verified(self, expected: Option<&str>) -> Result<Session, Error> {
        let Self { mut session, profiles, profile } = self;
        let identity = call("sts:GetCallerIdentity", session.sts().get_caller_identity().send().await);
        let identity = match identity {
            Ok(identity) => identity,
            Err(error) => {
                let mut origin = profiles.origin(profile.as_deref().unwrap_or("default"));
                if error.is_sign_in() && origin.source == Source::Login {
                    origin.cli = tokio::task::spawn_blocking(cli::installed).await.ok();
                }
                return Err(Error::sign_in(error, profile.is_some(), origin));
            }
        };
        session.account_id = identity.account.unwrap_or_default();
        session.caller = identity.arn.unwrap_or_default();
        match expected {
            Some(expected) if expected != session.account_id => Err(Error::WrongAccount {
                expected: expected.to_owned(),
                actual: session.account_id,
                caller: session.caller,
            }),
            _ => Ok(session),
        }
    }
}

/// Everything that a session needs but the answer whose account it is.
pub async fn prepare(settings: &Settings) -> Result<Unverified, Error> {
    let variables = &settings.variables;
    let profiles = Profiles::load(variables).await?;
    let named = settings.profile.as_deref();
    // In the order of the AWS CLI.
    let profile = named.or(variables.get("AWS_DEFAULT_PROFILE")).or(variables.get("AWS_PROFILE"));
    let alias = profile.map(|profile| profiles.select(profile)).transpose()?;
    let bundle = match variables.get("AWS_CA_BUNDLE") {
        Some(path) => Some(http::certificates("AWS_CA_BUNDLE", path)?),
        None => match profiles.setting(profile.unwrap_or("default"), "ca_bundle") {
            Some(path) => Some(http::certificates("ca_bundle", path)?),
            None => None,
        },
    };
    let client = http::trusting(variables, bundle)?;
    let setting = |key: &'static str| profiles.setting(profile.unwrap_or("default"), key);
    let retries = retries(variables, setting)?;
    let variant = Variant::of(variables, setting)?;
    let mut chain = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(client.clone())
        .retry_config(retries)
        .profile_files(profiles.files.clone())
        .use_fips(variant.fips.is_some())
        .use_dual_stack(variant.dual.is_some())
        .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS).build())
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                // Of an answer, not of the whole attempt: that would count the time in which credentials are loaded.
                .read_timeout(Duration::from_secs(30))
                .build(),
        );
    if let Some(alias) = &alias {
        chain = chain.profile_name(alias);
    }
    if let (Some(_), Some(alias)) = (named, &alias) {
        let own = variables.get("AWS_REGION").or(variables.get("AWS_DEFAULT_REGION"));
        let region = settings.region.as_deref().or(own);
        let region = region.or_else(|| profiles.setting(profile.unwrap_or("default"), "region"));
        let provider = ProviderConfig::without_region()
            .with_http_client(client.clone())
            .with_region(region.map(|region| Region::new(region.to_owned())));
        // As in the AWS CLI a profile that is named is meant, whatever keys the environment holds.
        let named = ProfileFileCredentialsProvider::builder()
            .configure(&provider)
            .profile_files(profiles.files.clone())
            .profile_name(alias);
        chain = chain.credentials_provider(named.build());
    }
    if let Some(region) = &settings.region {
        chain = chain.region(Region::new(region.clone()));
    }
    if let Some(url) = &settings.endpoint_url {
        chain = chain.endpoint_url(url);
    }
    let config = chain.load().await;
    let region = config.region().map(|region| region.as_ref().to_owned()).ok_or(Error::NoRegion)?;
    let session = Session {
        config,
        log: settings.log.clone(),
        account_id: String::new(),
        caller: String::new(),
        region,
    };
    if let Some(service) = SERVICES.into_iter().find(|service| session.is_in_clear(service)) {
        let endpoint = session.endpoint(service).unwrap_or_default();
        return Err(Error::InClear { service, endpoint });
    }
    variant.possible(&session.region, |service| session.endpoint(service))?;
    Ok(Unverified { session, profile: profile.map(str::to_owned), profiles })
}

/// How often a call is tried: `AWS_RETRY_MODE` and `AWS_MAX_ATTEMPTS`, or the profile's settings.
///
/// Each mode of the AWS CLI is that of `standard`: `legacy` has no meaning in the SDK, and the limit on its own pace that
/// `adaptive` adds takes 40 s for three attempts at a throttled call (measured with a local server).
fn retries<'a>(
    variables: &'a Variables,
    setting: impl Fn(&'static str) -> Option<&'a str>,
) -> Result<RetryConfig, Error> {
    let one = |name: &'static str, key: &'static str| {
        let variable = variables.get(name).map(|value| (name, value));
        variable.or_else(|| setting(key).map(|value| (key, value)))
    };
    let wrong = |(name, value): (&str, &str), wanted| {
        Err(Error::Setting { name: name.to_owned(), value: value.to_owned(), wanted })
    };
    if let Some(given) = one("AWS_RETRY_MODE", "retry_mode")
        && !["standard", "adaptive", "legacy"].contains(&given.1.to_lowercase().as_str())
    {
        return wrong(given, "standard, adaptive or legacy");
    }
    let retries = RetryConfig::standard();
    match one("AWS_MAX_ATTEMPTS", "max_attempts") {
        None => Ok(retries),
        Some(given) => match given.1.trim().parse() {
            Ok(attempts) if attempts > 0 => Ok(retries.with_max_attempts(attempts)),
            _ => wrong(given, "a number above 0"),
        },
    }
}

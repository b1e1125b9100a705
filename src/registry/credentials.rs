//! Credentials for a registry: from Docker's configuration file, or a token of Amazon ECR.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use secrecy::SecretString;
use serde::Deserialize;

use super::origin::docker_server;
use crate::aws::{CallError, Session};
use crate::deployment::image::Reference;

/// How a request to a registry is authenticated.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Without credentials; the reason, if reading them failed.
    Anonymous(Option<String>),
    /// A user name and a password.
    Password(String, SecretString),
    /// A token that the registry exchanges for an access token.
    IdentityToken(SecretString),
}

/// Docker's configuration file, `config.json`; `None` if it does not exist.
#[derive(Clone, Debug)]
pub struct Docker(pub Option<SecretString>);

impl Docker {
    /// The credentials for a registry: from the file, or from the credential helper that the file names.
    pub async fn credential(&self, reference: &Reference) -> Credential {
        use secrecy::ExposeSecret as _;
        let Some(text) = self.0.clone() else {
            return Credential::Anonymous(None);
        };
        let server = docker_server(reference).to_owned();
        // A helper may wait for the user, so it must not block the runtime.
        let found = tokio::task::spawn_blocking(move || {
            get_credential_from_reader(text.expose_secret().as_bytes(), &server)
        });
        match found.await {
            Ok(Ok(DockerCredential::UsernamePassword(name, password))) => {
                Credential::Password(name, password.into())
            }
            Ok(Ok(DockerCredential::IdentityToken(token))) => Credential::IdentityToken(token.into()),
            Ok(Err(error)) => Credential::Anonymous(reason(&error)),
            Err(_) => Credential::Anonymous(Some("the credential helper did not end".into())),
        }
    }
}

/// Why Docker's credentials could not be read. A helper's output is left out, because it may contain a secret.
fn reason(error: &CredentialRetrievalError) -> Option<String> {
    match error {
        CredentialRetrievalError::NoCredentialConfigured | CredentialRetrievalError::ConfigNotFound => None,
        CredentialRetrievalError::HelperFailure { helper, .. } => {
            Some(format!("{helper} has no credentials for it"))
        }
        other => Some(format!("Docker's credentials: {other}")),
    }
}

/// Credentials for an Amazon ECR registry, as `aws ecr get-login-password` gets them.
pub async fn ecr(session: &Session, region: &str) -> Result<Credential, CallError> {
    const OPERATION: &str = "ecr:GetAuthorizationToken";
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        authorization_data: Vec<Data>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        authorization_token: SecretString,
    }
    let answer: Answer = session.ecr(region, OPERATION).await?.json()?;
    let pair = answer.authorization_data.first().and_then(|data| {
        use secrecy::ExposeSecret as _;
        let pair = STANDARD.decode(data.authorization_token.expose_secret()).ok()?;
        let (name, password) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
        Some(Credential::Password(name.to_owned(), password.to_owned().into()))
    });
    pair.ok_or_else(|| CallError::in_answer(OPERATION, "an empty answer", None))
}

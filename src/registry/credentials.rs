//! With what a registry is asked: what `docker login` left, or a token of Amazon ECR.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use secrecy::SecretString;
use serde::Deserialize;

use super::origin::docker_server;
use crate::aws::{CallError, Session};
use crate::deployment::image::Reference;

/// What proves who asks.
#[derive(Clone, Debug)]
pub enum Credential {
    /// No credentials, and why, where they were looked for and could not be read.
    Anonymous(Option<String>),
    /// A name and its password.
    Password(String, SecretString),
    /// A token that is exchanged for another.
    IdentityToken(SecretString),
}

/// Docker's own file, `config.json`; `None` where there is none.
#[derive(Clone, Debug)]
pub struct Docker(pub Option<SecretString>);

impl Docker {
    /// The credentials of a registry: from the file, or from the helper program that it names.
    pub async fn credential(&self, reference: &Reference) -> Credential {
        use secrecy::ExposeSecret as _;
        let Some(text) = self.0.clone() else {
            return Credential::Anonymous(None);
        };
        let server = docker_server(reference).to_owned();
        // A helper may ask its user something, so it runs beside.
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

/// Why Docker's credentials could not be read; a helper's own output may hold what is secret.
fn reason(error: &CredentialRetrievalError) -> Option<String> {
    match error {
        CredentialRetrievalError::NoCredentialConfigured | CredentialRetrievalError::ConfigNotFound => None,
        CredentialRetrievalError::HelperFailure { helper, .. } => {
            Some(format!("{helper} has no credentials for it"))
        }
        other => Some(format!("Docker's credentials: {other}")),
    }
}

/// Credentials of a registry of Amazon ECR, as `aws ecr get-login-password` fetches them.
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

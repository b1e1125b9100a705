//! Reads an image from its registry, with Docker's credentials, or with the AWS session for Amazon ECR.

use std::path::PathBuf;

use crate::account::Known;
use crate::command::{Context, environment};
use crate::config::Config;
use crate::deployment::image::Reference;
use crate::registry::{Credential, Docker, Image, Platform};
use crate::web::Web;
use crate::{aws, files, registry};

/// The app's image with this tag or digest in the registry; unknown if the registry did not answer.
pub(super) async fn read_image(
    cx: &Context,
    config: &Config,
    docker_tag: &str,
    platform: &Platform,
) -> Known<Option<Image>> {
    let reference = Reference::new(&config.ecs.task.app.docker_image, docker_tag);
    let what = format!("asking {}", reference.registry);
    let http = match aws::http_client(&environment::variables()) {
        Ok(http) => http,
        Err(error) => return Known::Unknown(error.to_string()),
    };
    let asking = async {
        let credential = match (docker().credential(&reference).await, reference.ecr()) {
            (Credential::Anonymous(_), Some(own)) => ecr(cx, config, &own.region).await,
            (found, _) => found,
        };
        registry::find_image(&Web::new(http.clone()), &reference, platform, &credential).await
    };
    cx.ui.during(&what, asking).await
}

/// A token for Amazon ECR, if the user can sign in to AWS.
async fn ecr(cx: &Context, config: &Config, region: &str) -> Credential {
    let session = match cx.shared.sign_in(config, &cx.ui).await {
        Ok(session) => session,
        Err(failure) => return Credential::Anonymous(Some(failure.message)),
    };
    match registry::ecr(&session, region).await {
        Ok(credential) => credential,
        Err(error) => Credential::Anonymous(Some(error.reason())),
    }
}

/// Docker's `config.json`, from the same folder as the Docker CLI.
#[expect(clippy::disallowed_methods, reason = "this is `command`, which reads the environment")]
fn docker() -> Docker {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").or_else(|| set("USERPROFILE")).map(|home| home.join(".docker"));
    let folder = set("DOCKER_CONFIG").or_else(home);
    let text = folder.and_then(|folder| files::read_text(&folder.join("config.json")).ok());
    Docker(text.map(Into::into))
}

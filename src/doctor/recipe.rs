//! Configs in the shape of OSMT's own `infra/aws` recipe: for each key, whether to add, move or drop it.

use crate::document::{Document, Kind, Node, Place, Token, join};
use crate::finding::{Finding, Fix};

use super::rules::shape;
use super::rules::shape::OLD_RECIPE;

/// The keys of the recipe's second variable, and what to do with each value.
const MOVED: [(&str, &str); 12] = [
    ("/secrets/rds/master_username", "keep it with `osmt-secrets set rds/username`"),
    ("/secrets/rds/master_password", "make a new one with `osmt-secrets generate rds/password`"),
    ("/secrets/app/base_domain", "move it to config.domain.name"),
    ("/secrets/app/environment", "drop it: the Spring profiles are set by the module"),
    ("/secrets/app/frontend_url", "drop it: the module derives it from config.domain.name"),
    ("/secrets/app/oauth_issuer", "move it to config.app.oauth.issuer"),
    ("/secrets/app/oauth_clientid", "move it to config.app.oauth.client_id"),
    ("/secrets/app/oauth_secret", "keep it with `osmt-secrets set app/oauth_client_secret`"),
    ("/secrets/app/oauth_audience", "move it to config.app.oauth.audience"),
    ("/secrets/app/migrations_enabled", "drop it: the app migrates when it starts"),
    ("/secrets/app/reindex_elasticsearch", "drop it: the maintenance task rebuilds the index"),
    ("/secrets/app/skip_metadata_import", "drop it: the maintenance task imports the metadata"),
];

/// Replaces the messages of the schema's findings in a file that has the recipe's shape.
pub fn translate(document: &Document, findings: &mut Vec<Finding>) {
    let has = |pointer: &str| document.get(pointer).is_some();
    let absent = ["account_id", "region", "domain", "app"]
        .iter()
        .filter(|key| !has(&format!("/config/{key}")))
        .count();
    let secrets = has("/secrets/rds") || has("/secrets/app");
    if !(has("/config") && absent > 2 && (has("/config/alb") || has("/config/ecs")) || secrets) {
        return;
    }
    for finding in findings.iter_mut() {
        let Some(at) = &finding.at else { continue };
        if ![shape::MISSING_KEY.code, shape::UNKNOWN_KEY.code, shape::UNKNOWN_VARIABLE.code]
            .contains(&&*finding.code)
        {
            continue;
        }
        let (message, help, effect) = match at.pointer.as_str() {
            "/config/account_id" => (
                "the recipe has no `account_id`",
                "add it: the 12 digits that `aws sts get-caller-identity` shows",
                Effect::Nothing,
            ),
            "/config/region" => (
                "the recipe has no `region`; it was in main.tf",
                "add it: the region of the zones in vpc.azs",
                Effect::Nothing,
            ),
            "/config/domain" => (
                "the recipe has no `domain`",
                "add { \"name\": …, \"hosted_zone_id\": … }; the name is the old secrets.app.base_domain",
                Effect::Nothing,
            ),
            "/config/app" => (
                "the recipe has no `app`",
                "add { \"oauth\": { \"issuer\": …, \"client_id\": …, \"audience\": … } }, from the old secrets.app",
                Effect::Nothing,
            ),
            "/config/alb/container_name" => (
                "`container_name` is a key of the recipe only",
                "remove it: the container is named app",
                Effect::Drop,
            ),
            "/secrets" if secrets => (
                "`secrets` is a variable of the recipe only: osmt-secrets keeps the secrets",
                "move or drop each of its keys, then remove it",
                Effect::Mask,
            ),
            _ => continue,
        };
        finding.code = OLD_RECIPE.code.into();
        finding.name = OLD_RECIPE.name.into();
        message.clone_into(&mut finding.message);
        finding.help(help);
        match effect {
            Effect::Nothing => {}
            Effect::Drop => drop(finding.fix(Fix::Drop)),
            Effect::Mask => drop(finding.masked()),
        }
    }
    if let Some(node) = document.get("/secrets").filter(|_| secrets) {
        moved(node, "/secrets", findings);
    }
}

/// What is set on a finding besides its message and help.
enum Effect {
    Nothing,
    /// The fix: remove the key.
    Drop,
    /// The value must not be shown.
    Mask,
}

fn moved(node: &Node, pointer: &str, findings: &mut Vec<Finding>) {
    let Kind::Object(members) = &node.kind else {
        return;
    };
    for member in members {
        let here = join(pointer, &member.key);
        if matches!(member.node.kind, Kind::Object(_)) {
            moved(&member.node, &here, findings);
            continue;
        }
        let help =
            MOVED.iter().find(|(from, _)| *from == here).map_or("drop it: nothing uses it", |(_, help)| help);
        let message = format!("`{}` has moved", member.key);
        let mut finding = Finding::new(&OLD_RECIPE, Some(Place::at(here, Token::Key)), message);
        finding.help(help).masked();
        findings.push(finding);
    }
}

//! Reads the provider, the roles and their policies.

use futures_util::future::try_join_all;

use crate::account::iam::Role;
use crate::account::observe::iam;
use crate::account::policy_document::PolicyDocument;
use crate::aws::{CallError, Session, call};
use crate::bootstrap::ci::documents::{provider_arn, provider_of};
use crate::bootstrap::ci::repository::Source;
use crate::bootstrap::ci::{CiRole, Provider, Seen};
use crate::bootstrap::{Target, admin_role};

/// Reads the roles, their policies, and the provider of the repository or, without one, the provider that the roles trust.
pub async fn observe(session: &Session, target: &Target, source: Option<&Source>) -> Result<Seen, CallError> {
    let roles = try_join_all(CiRole::ALL.map(async |ci_role| {
        let role = iam::role(session, &ci_role.name(target)).await?;
        Ok::<_, CallError>(role.map(|role| (ci_role, role)))
    }));
    let (roles, policies) =
        tokio::join!(Box::pin(roles), Box::pin(admin_role::observe_policies(session, target)));
    let roles: std::collections::BTreeMap<CiRole, Role> = roles?.into_iter().flatten().collect();
    let arn = source.map(|source| provider_arn(target, &source.repository.issuer()));
    let arn = arn.or_else(|| roles.values().find_map(|role| provider_of(&role.trust)));
    let provider = match arn {
        Some(arn) => provider(session, arn).await?,
        None => None,
    };
    Ok(Seen { provider, roles, policies: policies? })
}

async fn provider(session: &Session, arn: String) -> Result<Option<Provider>, CallError> {
    let request = session.iam().get_open_id_connect_provider().open_id_connect_provider_arn(&arn);
    match call("iam:GetOpenIDConnectProvider", request.send().await) {
        Err(error) if error.is("NoSuchEntity") || error.is("NoSuchEntityException") => Ok(None),
        answer => {
            let answer = answer?;
            let tags = answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
            Ok(Some(Provider { arn, audiences: answer.client_id_list.unwrap_or_default(), tags }))
        }
    }
}

/// Whether a role other than the two CI roles trusts a provider.
pub async fn others_trust(session: &Session, target: &Target, provider: &str) -> Result<bool, CallError> {
    let own = CiRole::ALL.map(|ci_role| ci_role.name(target));
    let mut pages = session.iam().list_roles().into_paginator().items().send();
    while let Some(role) = pages.next().await {
        let role = call("iam:ListRoles", role)?;
        let trust = iam::decoded(role.assume_role_policy_document().unwrap_or_default());
        if !own.contains(&role.role_name) && may_trust(&trust, provider) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a trust policy names a provider; one that cannot be read may.
fn may_trust(trust: &str, provider: &str) -> bool {
    PolicyDocument::parse(trust).map_or(true, |document| {
        let mut principals = document.statements.iter().flat_map(|statement| statement.principals.texts());
        principals.any(|name| name.strip_prefix("Federated:") == Some(provider))
    })
}

#[cfg(test)]
mod tests {
    use super::may_trust;

    #[test]
    fn a_provider_is_trusted_where_a_statement_names_it() {
        let trust = |federated: &str| {
            format!(
                r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"Federated": "{federated}"}}, "Action": "sts:AssumeRoleWithWebIdentity"}}}}"#
            )
        };
        let provider = "arn:aws:iam::123456789012:oidc-provider/gitlab.example.org";
        assert!(may_trust(&trust(provider), provider));
        assert!(!may_trust(&trust(&format!("{provider}.evil")), provider));
        assert!(may_trust("not JSON", provider));
    }
}

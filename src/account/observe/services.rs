//! Reads what RDS, ElastiCache and Service Quotas say about what a config wants. Lists and quotas only.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::account::services::{
    CacheNode, CacheVersion, DATABASE_PARAMETERS, DatabaseClass, DatabaseParameter, DatabaseParameters,
    DatabaseVersion, Quota, Services, ZoneQuota,
};
use crate::aws::{Answer, CallError, Session};
use crate::config::Config;
use crate::deployment;

/// Pages after which a list is not believed to end.
const PAGES: usize = 50;

/// Reads all of it at once.
pub(super) async fn services(session: &Session, config: &Config) -> Services {
    let (rds, cache) = (&config.rds, &config.elasticache);
    let (parameters, versions, class, cache_versions, node, fargate, addresses, vpcs, nat, rules) = tokio::join!(
        database_parameters(session, &rds.parameter_group_family),
        database_versions(session),
        database_class(session, &rds.instance_class),
        cache_versions(session),
        cache_node(session, &cache.node_type),
        // The codes are those of AWS's lists "Service quotas" of Fargate, Amazon EC2 and Amazon VPC.
        quota(session, "fargate", "L-3032A538"),
        addresses(session, &config.env),
        vpcs(session, &config.env),
        nat_gateways(session, &config.env),
        group_rules(session, &config.env),
    );
    Services {
        database_parameters: parameters.into(),
        database_versions: versions.into(),
        database_class: class.into(),
        cache_versions: cache_versions.into(),
        cache_node: node.into(),
        fargate_vcpus: fargate.map(|limit| Quota { limit, others: None }).into(),
        addresses: addresses.into(),
        vpcs: vpcs.into(),
        nat_gateways: nat.into(),
        group_rules: rules.into(),
    }
}

/// The services of which a list with pages is asked.
#[derive(Clone, Copy)]
enum Lists {
    Rds,
    Elasticache,
}

/// Every page of a list.
async fn pages(
    session: &Session,
    of: Lists,
    operation: &'static str,
    parameters: &[(&str, &str)],
) -> Result<Vec<Answer>, CallError> {
    let mut answers: Vec<Answer> = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let mut parameters = parameters.to_vec();
        parameters.push(("MaxRecords", "100"));
        if let Some(marker) = &marker {
            parameters.push(("Marker", marker));
        }
        let answer = match of {
            Lists::Rds => session.rds(operation, &parameters).await?,
            Lists::Elasticache => session.elasticache(operation, &parameters).await?,
        };
        let next = answer.marker()?;
        answers.push(answer);
        if next.is_some() && (next == marker || answers.len() >= PAGES) {
            return Err(CallError::unreadable(operation, &std::io::Error::other("the list does not end")));
        }
        if next.is_none() {
            return Ok(answers);
        }
        marker = next;
    }
}

async fn database_parameters(session: &Session, family: &str) -> Result<DatabaseParameters, CallError> {
    let asked = [("DBParameterGroupFamily", family)];
    let answers = pages(session, Lists::Rds, "rds:DescribeEngineDefaultParameters", &asked).await?;
    let mut found = DatabaseParameters { family: family.to_owned(), ..DatabaseParameters::default() };
    for answer in answers {
        let fields = ["ParameterName", "AllowedValues", "ApplyType", "IsModifiable"];
        for [name, allowed, apply, modifiable] in answer.rows("Parameters", fields)? {
            if DATABASE_PARAMETERS.iter().any(|(ours, _)| *ours == name) {
                let parameter = DatabaseParameter { allowed, apply, modifiable: modifiable == "true" };
                found.parameters.insert(name, parameter);
            }
        }
    }
    Ok(found)
}

async fn database_versions(session: &Session) -> Result<Vec<DatabaseVersion>, CallError> {
    let asked = [("Engine", "mysql"), ("IncludeAll", "true")];
    let mut found = Vec::new();
    for answer in pages(session, Lists::Rds, "rds:DescribeDBEngineVersions", &asked).await? {
        for [version, status] in answer.rows("DBEngineVersions", ["EngineVersion", "Status"])? {
            found.push(DatabaseVersion { version, status });
        }
    }
    Ok(found)
}

async fn database_class(session: &Session, class: &str) -> Result<DatabaseClass, CallError> {
    let asked = [("Engine", "mysql"), ("DBInstanceClass", class), ("Vpc", "true")];
    let mut found = DatabaseClass { class: class.to_owned(), ..DatabaseClass::default() };
    for answer in pages(session, Lists::Rds, "rds:DescribeOrderableDBInstanceOptions", &asked).await? {
        let options = answer.nested_rows(
            "OrderableDBInstanceOptions",
            ["EngineVersion", "StorageType"],
            "AvailabilityZone",
            ["Name"],
        )?;
        for ([version, storage], zones) in options {
            // The module's storage.
            if storage != "gp3" {
                continue;
            }
            let all = found.zones.entry(version).or_default();
            all.extend(zones.into_iter().map(|[name]| name));
            all.sort();
            all.dedup();
        }
    }
    Ok(found)
}

async fn cache_versions(session: &Session) -> Result<Vec<CacheVersion>, CallError> {
    let asked = [("Engine", "redis")];
    let mut found = Vec::new();
    for answer in
        pages(session, Lists::Elasticache, "elasticache:DescribeCacheEngineVersions", &asked).await?
    {
        let fields = ["EngineVersion", "CacheParameterGroupFamily"];
        for [version, family] in answer.rows("CacheEngineVersions", fields)? {
            found.push(CacheVersion { version, family });
        }
    }
    Ok(found)
}

async fn cache_node(session: &Session, node_type: &str) -> Result<CacheNode, CallError> {
    let asked = [("CacheNodeType", node_type), ("MaxRecords", "20")];
    let answer = session.elasticache("elasticache:DescribeReservedCacheNodesOfferings", &asked).await?;
    let offers = answer.rows("ReservedCacheNodesOfferings", ["CacheNodeType"])?;
    Ok(CacheNode {
        node_type: node_type.to_owned(),
        listed: offers.iter().any(|[offered]| offered == node_type),
    })
}

/// The account's own value of a quota, else AWS's default.
async fn quota(session: &Session, service: &str, code: &str) -> Result<u64, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Found {
        quota: Value,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Value {
        value: f64,
    }
    let asked = json!({ "ServiceCode": service, "QuotaCode": code });
    let (own, default) = tokio::join!(
        session.service_quotas("servicequotas:GetServiceQuota", &asked),
        session.service_quotas("servicequotas:GetAWSDefaultServiceQuota", &asked),
    );
    let answer = match own {
        Err(error) if error.is("NoSuchResourceException") => default?,
        answer => answer?,
    };
    let value = answer.json::<Found>()?.quota.value;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "quotas are small counts")]
    Ok(value.max(0.0) as u64)
}

async fn addresses(session: &Session, env: &str) -> Result<Quota, CallError> {
    let (limit, others) = tokio::join!(
        quota(session, "ec2", "L-0263D0A3"),
        others(session, "ec2:DescribeAddresses", "addressesSet", env),
    );
    Ok(Quota { limit: limit?, others: Some(others?) })
}

async fn vpcs(session: &Session, env: &str) -> Result<Quota, CallError> {
    let (limit, others) = tokio::join!(
        quota(session, "vpc", "L-F678F1CE"),
        others(session, "ec2:DescribeVpcs", "vpcSet", env),
    );
    Ok(Quota { limit: limit?, others: Some(others?) })
}

async fn nat_gateways(session: &Session, env: &str) -> Result<ZoneQuota, CallError> {
    let (limit, gateways, subnets) = tokio::join!(
        quota(session, "vpc", "L-FE5A380F"),
        whole_list(session, "ec2:DescribeNatGateways", &[]),
        whole_list(session, "ec2:DescribeSubnets", &[]),
    );
    let zones: BTreeMap<String, String> = subnets?
        .rows("subnetSet", ["subnetId", "availabilityZone"])?
        .into_iter()
        .map(|[subnet, zone]| (subnet, zone))
        .collect();
    let mut others = BTreeMap::new();
    let found = gateways?.nested_rows("natGatewaySet", ["subnetId", "state"], "item", ["key", "value"])?;
    for ([subnet, state], tags) in found {
        // The quota counts those that are pending, available or being deleted.
        if matches!(state.as_str(), "deleted" | "failed") || is_ours(&tags, env) {
            continue;
        }
        let zone = zones.get(&subnet).ok_or_else(|| {
            let missing = std::io::Error::other(format!("no subnet {subnet}, where a NAT gateway is"));
            CallError::unreadable("ec2:DescribeSubnets", &missing)
        })?;
        *others.entry(zone.clone()).or_insert(0) += 1;
    }
    Ok(ZoneQuota { limit: limit?, others })
}

/// The load balancer's group is the one that grows with the config: two inbound rules for each block.
async fn group_rules(session: &Session, env: &str) -> Result<Quota, CallError> {
    let name = deployment::load_balancer(env);
    let by_name = [("Filter.1.Name", "group-name"), ("Filter.1.Value.1", name.as_str())];
    let (limit, groups) = tokio::join!(
        quota(session, "vpc", "L-0EA8095F"),
        whole_list(session, "ec2:DescribeSecurityGroups", &by_name),
    );
    let mut others = 0;
    for [group] in groups?.rows("securityGroupInfo", ["groupId"])? {
        let of_group = [("Filter.1.Name", "group-id"), ("Filter.1.Value.1", group.as_str())];
        let rules = whole_list(session, "ec2:DescribeSecurityGroupRules", &of_group).await?;
        let fields = ["isEgress", "cidrIpv6"];
        for ([egress, ipv6], tags) in
            rules.nested_rows("securityGroupRuleSet", fields, "item", ["key", "value"])?
        {
            // The quota holds for IPv4 and IPv6 each; a rule of another kind counts for both.
            others += u64::from(egress != "true" && ipv6.is_empty() && !is_ours(&tags, env));
        }
    }
    Ok(Quota { limit: limit?, others: Some(others) })
}

/// A list of EC2, which without `MaxResults` answers all at once; one that goes on elsewhere is not counted.
async fn whole_list(
    session: &Session,
    operation: &'static str,
    parameters: &[(&str, &str)],
) -> Result<Answer, CallError> {
    let answer = session.ec2_with(&session.region, operation, parameters).await?;
    if answer.field("nextToken")?.is_empty() {
        return Ok(answer);
    }
    Err(CallError::unreadable(operation, &std::io::Error::other("the list has more than one page")))
}

/// How many there are without this environment's tags.
async fn others(session: &Session, operation: &'static str, list: &str, env: &str) -> Result<u64, CallError> {
    let answer = whole_list(session, operation, &[]).await?;
    let found = answer.nested_rows(list, [], "item", ["key", "value"])?;
    Ok(found.iter().filter(|([], tags)| !is_ours(tags, env)).count() as u64)
}

/// Whether these are the tags of this environment's own resources.
fn is_ours(tags: &[[String; 2]], env: &str) -> bool {
    deployment::tags::environment(tags.iter().map(|[key, value]| (key.as_str(), value.as_str()))) == Some(env)
}

//! Reads what RDS, ElastiCache and Service Quotas say about what a config wants. Lists and quotas only.

use serde::Deserialize;
use serde_json::json;

use super::services::{
    CacheNode, CacheVersion, DATABASE_PARAMETERS, DatabaseClass, DatabaseParameter, DatabaseParameters,
    DatabaseVersion, Quota, Services,
};
use crate::aws::{Answer, CallError, Session};
use crate::config::Config;

/// Pages after which a list is not believed to end.
const PAGES: usize = 50;

/// Reads all of it at once.
pub(super) async fn services(session: &Session, config: &Config) -> Services {
    let (rds, cache) = (&config.rds, &config.elasticache);
    let (parameters, versions, class, cache_versions, node, fargate, addresses, vpcs) = tokio::join!(
        database_parameters(session, &rds.parameter_group_family),
        database_versions(session),
        database_class(session, &rds.instance_class),
        cache_versions(session),
        cache_node(session, &cache.node_type),
        // The codes are those of AWS's lists "Service quotas" of Fargate, Amazon EC2 and Amazon VPC.
        quota(session, "fargate", "L-3032A538"),
        addresses(session, &config.env),
        vpcs(session, &config.env),
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
        for ([name, allowed, apply, modifiable], _) in
            answer.nested_rows("Parameters", fields, ("-", ["-"]))?
        {
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
        for ([version, status], _) in
            answer.nested_rows("DBEngineVersions", ["EngineVersion", "Status"], ("-", ["-"]))?
        {
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
            ("AvailabilityZone", ["Name"]),
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
        for ([version, family], _) in answer.nested_rows("CacheEngineVersions", fields, ("-", ["-"]))? {
            found.push(CacheVersion { version, family });
        }
    }
    Ok(found)
}

async fn cache_node(session: &Session, node_type: &str) -> Result<CacheNode, CallError> {
    let asked = [("CacheNodeType", node_type), ("MaxRecords", "20")];
    let answer = session.elasticache("elasticache:DescribeReservedCacheNodesOfferings", &asked).await?;
    let offers = answer.nested_rows("ReservedCacheNodesOfferings", ["CacheNodeType"], ("-", ["-"]))?;
    Ok(CacheNode {
        node_type: node_type.to_owned(),
        listed: offers.iter().any(|([offered], _)| offered == node_type),
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

/// How many there are without this environment's tags.
async fn others(session: &Session, operation: &'static str, list: &str, env: &str) -> Result<u64, CallError> {
    let answer = session.ec2(&session.region, operation).await?;
    let found = answer.nested_rows(list, ["-"], ("item", ["key", "value"]))?;
    let is_ours = |tags: &[[String; 2]]| {
        let has = |key: &str, value: &str| tags.iter().any(|[k, v]| k == key && v == value);
        has("Application", "osmt") && has("Environment", env)
    };
    Ok(found.iter().filter(|(_, tags)| !is_ours(tags)).count() as u64)
}

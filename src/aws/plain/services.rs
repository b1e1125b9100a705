//! Single operations of services that are asked without their SDKs.

use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::{Answer, Question, Service};
use crate::aws::call::CallError;
use crate::aws::session::Session;

const ECR: Service = Service { id: "ECR", host: "api.ecr", signing: "ecr" };
const LOGS: Service = Service { id: "CloudWatch Logs", host: "logs", signing: "logs" };
const LOAD_BALANCING: Service = Service {
    id: "Elastic Load Balancing v2",
    host: "elasticloadbalancing",
    signing: "elasticloadbalancing",
};
const RDS: Service = Service { id: "RDS", host: "rds", signing: "rds" };
const ELASTICACHE: Service = Service { id: "ElastiCache", host: "elasticache", signing: "elasticache" };
const SERVICE_QUOTAS: Service =
    Service { id: "Service Quotas", host: "servicequotas", signing: "servicequotas" };

impl Session {
    /// Asks Amazon ECR in a region by its JSON form: `ecr:GetAuthorizationToken`.
    pub async fn ecr(&self, region: &str, operation: &'static str) -> Result<Answer, CallError> {
        self.json(
            &ECR,
            region,
            "AmazonEC2ContainerRegistry_V20150921",
            operation,
            &Value::Object(serde_json::Map::default()),
        )
        .await
    }

    /// Asks `CloudWatch` Logs by its JSON form: `logs:GetLogEvents`.
    pub async fn logs(&self, operation: &'static str, parameters: &Value) -> Result<Answer, CallError> {
        self.json(&LOGS, &self.region, "Logs_20140328", operation, parameters).await
    }

    /// Asks Elastic Load Balancing by its Query form: `elasticloadbalancing:DescribeTargetHealth`.
    pub async fn load_balancing(
        &self,
        operation: &'static str,
        parameters: &[(&str, &str)],
    ) -> Result<Answer, CallError> {
        self.query(&LOAD_BALANCING, "2015-12-01", operation, parameters).await
    }

    /// Asks RDS by its Query form: `rds:CreateDBSnapshot`.
    pub async fn rds(
        &self,
        operation: &'static str,
        parameters: &[(&str, &str)],
    ) -> Result<Answer, CallError> {
        self.query(&RDS, "2014-10-31", operation, parameters).await
    }

    /// Asks ElastiCache by its Query form: `elasticache:DescribeCacheEngineVersions`.
    pub async fn elasticache(
        &self,
        operation: &'static str,
        parameters: &[(&str, &str)],
    ) -> Result<Answer, CallError> {
        self.query(&ELASTICACHE, "2015-02-02", operation, parameters).await
    }

    /// Asks Service Quotas by its JSON form: `servicequotas:GetServiceQuota`.
    pub async fn service_quotas(
        &self,
        operation: &'static str,
        parameters: &Value,
    ) -> Result<Answer, CallError> {
        self.json(&SERVICE_QUOTAS, &self.region, "ServiceQuotasV20190624", operation, parameters).await
    }

    pub(super) async fn json(
        &self,
        service: &'static Service,
        region: &str,
        target: &str,
        operation: &'static str,
        parameters: &Value,
    ) -> Result<Answer, CallError> {
        let question = Question {
            method: "POST",
            uri: "/".to_owned(),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", format!("{target}.{}", action(operation))),
            ],
            body: parameters.to_string(),
        };
        self.ask(service, region, operation, question).await
    }

    async fn query(
        &self,
        service: &'static Service,
        version: &str,
        operation: &'static str,
        parameters: &[(&str, &str)],
    ) -> Result<Answer, CallError> {
        let mut form = Serializer::new(String::new());
        form.append_pair("Action", action(operation))
            .append_pair("Version", version)
            .extend_pairs(parameters);
        let question = Question {
            method: "POST",
            uri: "/".to_owned(),
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: form.finish(),
        };
        self.ask(service, &self.region, operation, question).await
    }
}

/// `GetLogEvents` of `logs:GetLogEvents`.
fn action(operation: &'static str) -> &'static str {
    operation.split_once(':').map_or(operation, |(_, action)| action)
}

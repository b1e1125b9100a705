output "url" {
  description = "Where users reach OSMT."
  value       = module.osmt.url
}

output "alb_dns_name" {
  description = "AWS's own name of the load balancer."
  value       = module.osmt.alb_dns_name
}

output "dns_record" {
  description = "The record that leads users to the load balancer; to be added by hand if config.domain.hosted_zone_id is \"none\"."
  value       = module.osmt.dns_record
}

output "ecs_cluster_name" {
  description = "The ECS cluster of both services and of the maintenance task."
  value       = module.osmt.ecs_cluster_name
}

output "app_service_name" {
  description = "The ECS service of the app."
  value       = module.osmt.app_service_name
}

output "elasticsearch_service_name" {
  description = "The ECS service of Elasticsearch."
  value       = module.osmt.elasticsearch_service_name
}

output "app_task_definition_arn" {
  description = "The revision of the app's task that this configuration asks for."
  value       = module.osmt.app_task_definition_arn
}

output "maintenance_task_definition_arn" {
  description = "The revision of the one-off task that migrates, imports and reindexes."
  value       = module.osmt.maintenance_task_definition_arn
}

output "maintenance_network" {
  description = "Subnets and security group in which the maintenance task runs."
  value       = module.osmt.maintenance_network
}

output "rds_instance_identifier" {
  description = "The database instance."
  value       = module.osmt.rds_instance_identifier
}

output "final_snapshot_identifier" {
  description = "The name that the database's last snapshot will get; null if there will be none."
  value       = module.osmt.final_snapshot_identifier
}

output "alarm_topic_arn" {
  description = "The SNS topic of all alarms."
  value       = module.osmt.alarm_topic_arn
}

output "stateful_resources" {
  description = "Terraform addresses of what holds data: a plan that replaces or deletes one of them loses it."
  value       = [for address in module.osmt.stateful_resources : "module.osmt.${address}"]
}

output "sign_in_redirect_uri" {
  description = "What to enter at the identity provider as redirect address; docs/sign-in.md says what else."
  value       = module.osmt.sign_in_redirect_uri
}

output "network" {
  description = "The network, for other workloads."
  value       = module.osmt.network
}

output "nat_addresses" {
  description = "The addresses from which the stack reaches the Internet, for other systems' allow lists."
  value       = module.osmt.nat_addresses
}

output "security_group_ids" {
  description = "The security groups, by role."
  value       = module.osmt.security_group_ids
}

output "load_balancer" {
  description = "The load balancer, its listeners and its target group."
  value       = module.osmt.load_balancer
}

output "data_stores" {
  description = "Where the data is: endpoints and names; no credentials."
  value       = module.osmt.data_stores
}

output "kms_key_arn" {
  description = "The key of logs, index, cache, alarms and the composed secret."
  value       = module.osmt.kms_key_arn
}

output "log_group_names" {
  description = "The log groups, by what writes to them."
  value       = module.osmt.log_group_names
}

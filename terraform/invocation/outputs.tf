output "url" {
  description = "The URL of OSMT."
  value       = module.osmt.url
}

output "alb_dns_name" {
  description = "The DNS name of the load balancer."
  value       = module.osmt.alb_dns_name
}

output "dns_record" {
  description = "The DNS record that points to the load balancer. Add it by hand if config.domain.hosted_zone_id is \"none\"."
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
  description = "The task definition revision of the app in this configuration."
  value       = module.osmt.app_task_definition_arn
}

output "maintenance_task_definition_arn" {
  description = "The task definition revision of the one-off task that migrates, imports and reindexes."
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
  description = "The name of the database's final snapshot; null if none will be created."
  value       = module.osmt.final_snapshot_identifier
}

output "alarm_topic_arn" {
  description = "The SNS topic of all alarms."
  value       = module.osmt.alarm_topic_arn
}

output "stateful_resources" {
  description = "Terraform addresses of the resources that contain data. A plan that replaces or destroys one of them deletes the data."
  value       = [for address in module.osmt.stateful_resources : "module.osmt.${address}"]
}

output "sign_in_redirect_uri" {
  description = "The redirect URI to register at the identity provider; docs/sign-in.md lists the other settings."
  value       = module.osmt.sign_in_redirect_uri
}

output "network" {
  description = "The network, for other workloads."
  value       = module.osmt.network
}

output "nat_addresses" {
  description = "The public IP addresses of outgoing connections, for other systems' allow lists."
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
  description = "Endpoints and names of the database, the cache, Elasticsearch and the file system, without credentials."
  value       = module.osmt.data_stores
}

output "kms_key_arn" {
  description = "The KMS key of the logs, the index, the cache, the alarm topic and the secret with DB_URI."
  value       = module.osmt.kms_key_arn
}

output "log_group_names" {
  description = "The log groups, by their source."
  value       = module.osmt.log_group_names
}

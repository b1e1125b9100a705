output "url" {
  description = "Where users reach OSMT."
  value       = module.osmt.url
}

output "alb_dns_name" {
  description = "AWS's own name of the load balancer."
  value       = module.osmt.alb_dns_name
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

output "url" {
  description = "Where users reach OSMT."
  value       = local.url
}

output "alb_dns_name" {
  description = "AWS's own name of the load balancer."
  value       = aws_lb.main.dns_name
}

output "ecs_cluster_name" {
  description = "The ECS cluster of both services and of the maintenance task."
  value       = aws_ecs_cluster.main.name
}

output "app_service_name" {
  description = "The ECS service of the app."
  value       = aws_ecs_service.app.name
}

output "elasticsearch_service_name" {
  description = "The ECS service of Elasticsearch."
  value       = aws_ecs_service.elasticsearch.name
}

output "app_task_definition_arn" {
  description = "The revision of the app's task that this configuration asks for."
  value       = aws_ecs_task_definition.app.arn
}

output "maintenance_task_definition_arn" {
  description = "The revision of the one-off task that migrates, imports and reindexes."
  value       = aws_ecs_task_definition.maintenance.arn
}

output "maintenance_network" {
  description = "Subnets and security group in which the maintenance task runs."
  value = {
    subnets         = local.private_subnet_ids
    security_groups = [aws_security_group.app.id]
  }
}

output "rds_instance_identifier" {
  description = "The database instance."
  value       = aws_db_instance.main.identifier
}

output "final_snapshot_identifier" {
  description = "The name that the database's last snapshot will get; null if config.rds.skip_final_snapshot."
  value       = var.config.rds.skip_final_snapshot ? null : aws_db_instance.main.final_snapshot_identifier
}

output "alarm_topic_arn" {
  description = "The SNS topic of all alarms."
  value       = aws_sns_topic.alarms.arn
}

output "stateful_resources" {
  description = "Addresses, inside this module, of what holds data: a plan that replaces or deletes one of them loses it."
  value = concat(
    ["aws_db_instance.main", "aws_elasticache_replication_group.main", "aws_efs_file_system.elasticsearch", "aws_kms_key.main"],
    [for i, _ in aws_s3_bucket.access_logs : "aws_s3_bucket.access_logs[${i}]"],
  )
}

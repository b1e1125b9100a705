output "url" {
  description = "The URL of OSMT."
  value       = local.url
}

output "alb_dns_name" {
  description = "The DNS name of the load balancer."
  value       = aws_lb.main.dns_name
}

output "dns_record" {
  description = "The DNS record that points to the load balancer. Terraform creates it unless config.domain.hosted_zone_id is \"none\" (created_here). Otherwise add it at the domain's DNS provider: a CNAME record, or an ALIAS or ANAME record at the zone apex. alias_hosted_zone_id is for an alias record in a Route 53 zone of another account."
  value = {
    created_here         = local.has_hosted_zone
    name                 = var.config.domain.name
    type                 = "CNAME"
    value                = aws_lb.main.dns_name
    alias_hosted_zone_id = aws_lb.main.zone_id
  }
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
  description = "The task definition revision of the app in this configuration."
  value       = aws_ecs_task_definition.app.arn
}

output "maintenance_task_definition_arn" {
  description = "The task definition revision of the one-off task that migrates, imports and reindexes."
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
  description = "The name of the database's final snapshot; null if config.rds.skip_final_snapshot."
  value       = var.config.rds.skip_final_snapshot ? null : aws_db_instance.main.final_snapshot_identifier
}

output "alarm_topic_arn" {
  description = "The SNS topic of all alarms."
  value       = aws_sns_topic.alarms.arn
}

output "stateful_resources" {
  description = "Addresses, in this module, of the resources that contain data. A plan that replaces or destroys one of them deletes the data."
  value = concat(
    ["aws_db_instance.main", "aws_elasticache_replication_group.main", "aws_efs_file_system.elasticsearch", "aws_kms_key.main"],
    [for i, _ in aws_s3_bucket.access_logs : "aws_s3_bucket.access_logs[${i}]"],
  )
}

output "sign_in_redirect_uri" {
  description = "The redirect URI to register at the identity provider; docs/sign-in.md lists the other settings."
  value       = "${local.url}/login/oauth2/code/okta"
}

output "network" {
  description = "The network, for other workloads; without route tables for an existing network."
  value = {
    vpc_id                  = local.vpc_id
    private_subnet_ids      = local.private_subnet_ids
    public_subnet_ids       = local.public_subnet_ids
    private_route_table_ids = [for zone in keys(local.own_zones) : aws_route_table.private[zone].id]
    public_route_table_id   = one(aws_route_table.public[*].id)
  }
}

output "nat_addresses" {
  description = "The public IP addresses of outgoing connections, for other systems' allow lists."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}

output "security_group_ids" {
  description = "The security groups, by role."
  value = {
    alb           = aws_security_group.alb.id
    app           = aws_security_group.app.id
    elasticsearch = aws_security_group.elasticsearch.id
    efs           = aws_security_group.efs.id
    rds           = aws_security_group.rds.id
    elasticache   = aws_security_group.elasticache.id
  }
}

output "load_balancer" {
  description = "The load balancer, its listeners and its target group."
  value = {
    arn                = aws_lb.main.arn
    zone_id            = aws_lb.main.zone_id
    http_listener_arn  = aws_lb_listener.http.arn
    https_listener_arn = aws_lb_listener.https.arn
    target_group_arn   = aws_lb_target_group.app.arn
  }
}

output "data_stores" {
  description = "Endpoints and names of the database, the cache, Elasticsearch and the file system, without credentials."
  value = {
    database_endpoint      = aws_db_instance.main.endpoint
    database_arn           = aws_db_instance.main.arn
    cache_primary_endpoint = aws_elasticache_replication_group.main.primary_endpoint_address
    elasticsearch_url      = local.elasticsearch_url
    file_system_id         = aws_efs_file_system.elasticsearch.id
  }
}

output "kms_key_arn" {
  description = "The KMS key of the logs, the index, the cache, the alarm topic and the secret with DB_URI."
  value       = aws_kms_key.main.arn
}

output "log_group_names" {
  description = "The log groups, by their source."
  value       = local.log_groups
}

resource "aws_elasticache_subnet_group" "main" {
  name        = local.name
  description = "Private subnets of ${local.name}"
  subnet_ids  = local.private_subnet_ids

  tags = { Name = local.name }
}

# Sessions and the app's task queue. By default one node in every Availability Zone, with failover.
resource "aws_elasticache_replication_group" "main" {
  #checkov:skip=CKV_AWS_30:OSMT <= 3.0.0 has no TLS in its Redis client (RedisConfig.kt); only the app's security group reaches the port
  #checkov:skip=CKV2_AWS_50:on with two or more nodes, which is the default; operations.cache_nodes = 1 is for test environments, and a check warns in production
  #checkov:skip=CKV_AWS_31:OSMT <= 3.0.0 sends no Redis password, and AUTH needs transit encryption
  replication_group_id = local.name
  description          = "Sessions and task queue of ${local.name}"
  engine               = "redis"
  engine_version       = var.config.elasticache.engine_version
  node_type            = var.config.elasticache.node_type
  parameter_group_name = var.config.elasticache.parameter_group_name
  port                 = local.ports.redis

  num_cache_clusters          = local.cache_size
  preferred_cache_cluster_azs = [for i in range(local.cache_size) : element(var.config.vpc.azs, i)]
  automatic_failover_enabled  = local.cache_size > 1
  multi_az_enabled            = local.cache_size > 1

  subnet_group_name  = aws_elasticache_subnet_group.main.name
  security_group_ids = [aws_security_group.elasticache.id]

  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.main.arn
  # The app's Redis client supports neither TLS nor a password.
  transit_encryption_enabled = false

  # A session lasts an hour, so one snapshot is enough.
  snapshot_retention_limit   = 1
  snapshot_window            = var.operations.windows.snapshot
  maintenance_window         = var.operations.windows.maintenance
  auto_minor_version_upgrade = true
  apply_immediately          = var.operations.apply_immediately

  tags = { Name = local.name }
}

locals {
  cache_size = coalesce(var.operations.cache_nodes, length(var.config.vpc.azs))
  # ElastiCache appends numbers from 001 to the name of the group.
  cache_nodes = [for i in range(local.cache_size) : format("%s-%03d", local.name, i + 1)]
}

# Alarms that need an operator; docs/terraform.md says what to do for each. All use the same SNS topic.
locals {
  # The memory of an instance class in GiB, derived from its size and doubled for the memory-optimised families.
  database_size = split(".", var.config.rds.instance_class)[2]
  database_memory_gib = (
    lookup({ micro = 1, small = 2, medium = 4, large = 8, xlarge = 16 }, local.database_size,
    try(16 * tonumber(regex("^([0-9]+)xlarge$", local.database_size)[0]), 8)) *
    (can(regex("^db\\.[rxz]", var.config.rds.instance_class)) ? 2 : 1)
  )
  # RDS's default of max_connections for MySQL: memory in bytes / 12582880.
  database_max_connections = floor(local.database_memory_gib * 1073741824 / 12582880)

  alb_dimensions = { LoadBalancer = aws_lb.main.arn_suffix }
  app_dimensions = { LoadBalancer = aws_lb.main.arn_suffix, TargetGroup = aws_lb_target_group.app.arn_suffix }
  rds_dimensions = { DBInstanceIdentifier = aws_db_instance.main.identifier }
  ecs_dimensions = { for name in ["app", "elasticsearch"] : name => {
    ClusterName = aws_ecs_cluster.main.name
    ServiceName = local.services[name]
  } }

  # The number of log lines of tasks whose /health was not 200, one per minute and task.
  health_metric = { namespace = "OSMT/${var.config.env}", name = "HealthNotOk" }

  # `period` is in seconds, `times` is the number of consecutive periods.
  alarms = merge(
    {
      alb-5xx = {
        why       = "The load balancer returns errors: no task is healthy, or tasks close connections."
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.alb_dimensions
        statistic = "Sum", comparison = "GreaterThanThreshold", threshold = var.operations.alarms.alb_5xx_count, period = 300, times = 2, missing = "notBreaching"
      }
      app-5xx = {
        why       = "OSMT returns errors."
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.app_dimensions
        statistic = "Sum", comparison = "GreaterThanThreshold", threshold = var.operations.alarms.app_5xx_count, period = 300, times = 2, missing = "notBreaching"
      }
      app-slow = {
        why       = "One request in twenty takes longer than ${var.operations.alarms.app_slow_seconds} seconds."
        namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.app_dimensions
        statistic = "p95", comparison = "GreaterThanThreshold", threshold = var.operations.alarms.app_slow_seconds, period = 300, times = 3, missing = "notBreaching"
      }
      app-unhealthy = {
        why       = "A task of the app fails its health check."
        namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = local.app_dimensions
        statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 0, period = 60, times = 10, missing = "notBreaching"
      }
      app-down = {
        why       = "No task of the app is healthy: OSMT is down."
        namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.app_dimensions
        statistic = "Maximum", comparison = "LessThanThreshold", threshold = 1, period = 60, times = 3, missing = "breaching"
      }
      app-health = {
        why       = "OSMT's /health was not 200 for ${var.operations.alarms.health_minutes} minutes: it cannot reach the database, Redis or Elasticsearch. The log group ${local.log_groups.app} has a line for each minute."
        namespace = local.health_metric.namespace, metric = local.health_metric.name, dimensions = {}
        statistic = "Sum", comparison = "GreaterThanOrEqualToThreshold", threshold = 1, period = 60, times = var.operations.alarms.health_minutes, missing = "notBreaching"
      }
      app-tasks = {
        why       = "Fewer tasks of the app are running than desired_count in the config."
        namespace = "ECS/ContainerInsights", metric = "RunningTaskCount", dimensions = local.ecs_dimensions.app
        statistic = "Maximum", comparison = "LessThanThreshold", threshold = var.config.ecs.task.app.desired_count, period = 300, times = 3, missing = "breaching"
      }
      app-memory = {
        why       = "The app is running out of memory."
        namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.ecs_dimensions.app
        statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = var.operations.alarms.app_memory_percent, period = 300, times = 3, missing = "notBreaching"
      }
      task-restarts = {
        why       = "Tasks stop repeatedly. The log group ${local.log_groups.events} has the reasons."
        namespace = "AWS/Events", metric = "TriggeredRules", dimensions = { RuleName = aws_cloudwatch_event_rule.task_failed.name }
        statistic = "Sum", comparison = "GreaterThanOrEqualToThreshold", threshold = var.operations.alarms.task_restarts, period = 900, times = 1, missing = "notBreaching"
      }
      elasticsearch-down = {
        why       = "Elasticsearch is not running: search fails."
        namespace = "ECS/ContainerInsights", metric = "RunningTaskCount", dimensions = local.ecs_dimensions.elasticsearch
        statistic = "Maximum", comparison = "LessThanThreshold", threshold = 1, period = 300, times = 2, missing = "breaching"
      }
      elasticsearch-memory = {
        why       = "Elasticsearch is running out of memory."
        namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.ecs_dimensions.elasticsearch
        statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = var.operations.alarms.elasticsearch_memory_percent, period = 300, times = 3, missing = "notBreaching"
      }
      rds-storage = {
        why       = "The database has less free storage than ${var.operations.alarms.rds_free_storage_percent} % of allocated_storage, and storage autoscaling has reached its maximum."
        namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.rds_dimensions
        statistic = "Minimum", comparison = "LessThanThreshold", threshold = var.config.rds.allocated_storage * 1073741824 * var.operations.alarms.rds_free_storage_percent / 100, period = 300, times = 3, missing = "breaching"
      }
      rds-cpu = {
        why       = "The database's CPU is at its limit."
        namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.rds_dimensions
        statistic = "Average", comparison = "GreaterThanThreshold", threshold = var.operations.alarms.rds_cpu_percent, period = 300, times = 3, missing = "breaching"
      }
      rds-memory = {
        why       = "The database has less than ${var.operations.alarms.rds_free_memory_percent} % of its memory free and will start to swap."
        namespace = "AWS/RDS", metric = "FreeableMemory", dimensions = local.rds_dimensions
        statistic = "Minimum", comparison = "LessThanThreshold", threshold = local.database_memory_gib * 1073741824 * var.operations.alarms.rds_free_memory_percent / 100, period = 300, times = 3, missing = "breaching"
      }
      rds-connections = {
        why       = "The database is close to its maximum number of connections (about ${local.database_max_connections})."
        namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.rds_dimensions
        statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = floor(local.database_max_connections * var.operations.alarms.rds_connections_percent / 100), period = 300, times = 2, missing = "notBreaching"
      }
      certificate-expiry = {
        why       = "The certificate expires in less than ${var.operations.alarms.certificate_days} days: ACM could not renew it, probably because its validation record was deleted."
        namespace = "AWS/CertificateManager", metric = "DaysToExpiry", dimensions = { CertificateArn = var.config.alb.certificate_arn }
        statistic = "Minimum", comparison = "LessThanThreshold", threshold = var.operations.alarms.certificate_days, period = 86400, times = 1, missing = "notBreaching"
      }
    },
    { for family in regexall("^db\\.t", var.config.rds.instance_class) : "rds-credits" => {
      # Two hours, because a new instance starts without credits.
      why       = "The burstable database class has used up its CPU credits."
      namespace = "AWS/RDS", metric = "CPUCreditBalance", dimensions = local.rds_dimensions
      statistic = "Minimum", comparison = "LessThanThreshold", threshold = var.operations.alarms.rds_credits, period = 300, times = 24, missing = "notBreaching"
    } },
    { for node in local.cache_nodes : "${node}-memory" => {
      why       = "The session cache is nearly full and will evict sessions."
      namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = node }
      statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = var.operations.alarms.cache_memory_percent, period = 300, times = 3, missing = "notBreaching"
    } },
    { for node in local.cache_nodes : "${node}-cpu" => {
      why       = "The session cache's CPU is at its limit."
      namespace = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = { CacheClusterId = node }
      statistic = "Average", comparison = "GreaterThanThreshold", threshold = var.operations.alarms.cache_cpu_percent, period = 300, times = 3, missing = "notBreaching"
    } },
    { for node in local.cache_nodes : "${node}-replication" => {
      why       = "A replica of the session cache lags behind: a failover would lose sessions."
      namespace = "AWS/ElastiCache", metric = "ReplicationLag", dimensions = { CacheClusterId = node }
      statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = var.operations.alarms.cache_lag_seconds, period = 60, times = 5, missing = "notBreaching"
    } },
    { for zone in local.nat_zones : "nat-ports-${zone}" => {
      why       = "The NAT gateway has no free ports: outgoing connections fail."
      namespace = "AWS/NATGateway", metric = "ErrorPortAllocation", dimensions = { NatGatewayId = aws_nat_gateway.main[zone].id }
      statistic = "Sum", comparison = "GreaterThanThreshold", threshold = 0, period = 300, times = 1, missing = "notBreaching"
    } },
  )
}

resource "aws_cloudwatch_metric_alarm" "main" {
  # With a schedule these three alarms would go off whenever the environment is stopped.
  for_each = { for name, alarm in local.alarms : name => alarm if var.operations.schedule == null || !contains(["app-down", "app-tasks", "elasticsearch-down"], name) }

  alarm_name          = startswith(each.key, "${local.name}-") ? each.key : "${local.name}-${each.key}"
  alarm_description   = each.value.why
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.times
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  tags = { Name = each.key }
}

# The container requests the app's /health every minute and logs a line if it is not 200 (containers/app.sh). Unlike a canary or a
# Route 53 health check, this also works if alb.ingress_cidrs does not admit the Internet.
resource "aws_cloudwatch_log_metric_filter" "health" {
  name           = "${local.name}-health"
  log_group_name = aws_cloudwatch_log_group.main["app"].name
  pattern        = "\"osmt: health: not ok\""

  metric_transformation {
    namespace     = local.health_metric.namespace
    name          = local.health_metric.name
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

# Settings of operations, and the defaults without them.
mock_provider "aws" {
  source = "./tests/mocks"
}

run "default_thresholds" {
  command = plan

  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.main : name => alarm.threshold if !startswith(name, "nat-") && !startswith(name, "osmt-test-002") } == {
      alb-5xx              = 10, app-5xx = 10, app-slow = 5, app-unhealthy = 0, app-down = 1, app-health = 1, app-tasks = 2, app-memory = 92, task-restarts = 3
      elasticsearch-down   = 1, elasticsearch-memory = 95, certificate-expiry = 21
      rds-storage          = 2147483648, rds-cpu = 85, rds-memory = 107374182.4, rds-connections = 119, rds-credits = 20
      osmt-test-001-memory = 80, osmt-test-001-cpu = 85, osmt-test-001-replication = 30
    }
    error_message = "The default thresholds have changed: the page on the Terraform directory lists them."
  }
}

run "health_from_inside" {
  command = plan

  assert {
    condition = (
      aws_cloudwatch_log_metric_filter.health.log_group_name == "/osmt/test/app" &&
      one(aws_cloudwatch_log_metric_filter.health.metric_transformation).name == aws_cloudwatch_metric_alarm.main["app-health"].metric_name &&
      one(aws_cloudwatch_log_metric_filter.health.metric_transformation).namespace == aws_cloudwatch_metric_alarm.main["app-health"].namespace &&
      aws_cloudwatch_metric_alarm.main["app-health"].evaluation_periods == 5
    )
    error_message = "The alarm must count what the filter makes of the app's log, for five minutes by default."
  }

  # The words that the container writes: say puts `osmt: ` before them.
  assert {
    condition = (
      trim(aws_cloudwatch_log_metric_filter.health.pattern, "\"") == "osmt: health: not ok" &&
      strcontains(jsondecode(aws_ecs_task_definition.app.container_definitions)[0].entryPoint[2], "say \"health: $health\"") &&
      strcontains(jsondecode(aws_ecs_task_definition.app.container_definitions)[0].entryPoint[2], "health=\"not ok ($health)\"")
    )
    error_message = "The filter must look for the line that the container writes."
  }
}

run "health_minutes_that_cloudwatch_refuses" {
  command = plan

  variables {
    operations = { alarms = { health_minutes = 0 } }
  }

  expect_failures = [var.operations]
}

run "other_policies" {
  command = plan

  variables {
    operations = {
      cache_nodes     = 3
      fargate_spot    = true
      circuit_breaker = { rollback = false }
      ssl_policy      = "ELBSecurityPolicy-TLS13-1-3-2021-06"
      alarms          = { rds_free_storage_percent = 20, certificate_days = 30 }
    }
  }

  assert {
    condition = (
      aws_elasticache_replication_group.main.preferred_cache_cluster_azs == tolist(["us-west-2a", "us-west-2b", "us-west-2a"]) &&
      aws_elasticache_replication_group.main.num_cache_clusters == 3 && contains(keys(aws_cloudwatch_metric_alarm.main), "osmt-test-003-cpu")
    )
    error_message = "Three nodes in two zones must be spread over them, each with its alarms."
  }

  assert {
    condition = (
      toset([for strategy in aws_ecs_service.app.capacity_provider_strategy : "${strategy.capacity_provider} ${strategy.base} ${strategy.weight}"]) == toset(["FARGATE 1 0", "FARGATE_SPOT 0 1"]) &&
      aws_ecs_cluster_capacity_providers.main[0].capacity_providers == toset(["FARGATE", "FARGATE_SPOT"]) &&
      aws_ecs_service.elasticsearch.launch_type == "FARGATE"
    )
    error_message = "All tasks of the app but one may run on Spot; Elasticsearch never does."
  }

  assert {
    condition     = alltrue([for service in [aws_ecs_service.app, aws_ecs_service.elasticsearch] : one(service.deployment_circuit_breaker).enable && !one(service.deployment_circuit_breaker).rollback])
    error_message = "The circuit breaker must be as configured."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.main["rds-storage"].threshold == 4294967296 && aws_cloudwatch_metric_alarm.main["certificate-expiry"].threshold == 30 && aws_cloudwatch_metric_alarm.main["rds-cpu"].threshold == 85
    error_message = "A threshold that is set must be used, and must not change the others."
  }

  assert {
    condition     = aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-3-2021-06"
    error_message = "The TLS policy must be as configured."
  }
}

run "one_cache_node" {
  command = plan

  variables {
    operations = { cache_nodes = 1 }
  }

  assert {
    condition     = !aws_elasticache_replication_group.main.automatic_failover_enabled && !aws_elasticache_replication_group.main.multi_az_enabled && length(aws_elasticache_replication_group.main.preferred_cache_cluster_azs) == 1
    error_message = "One node cannot fail over to another."
  }
}

run "on_demand_by_default" {
  command = plan

  assert {
    condition     = aws_ecs_service.app.launch_type == "FARGATE" && length(aws_ecs_cluster_capacity_providers.main) == 0
    error_message = "Without operations.fargate_spot no task may be interrupted."
  }
}

run "windows_that_touch_each_other_or_midnight" {
  command = plan

  variables {
    operations = {
      windows = { backup = "23:00-00:30", snapshot = "01:30-02:30", maintenance = "mon:00:30-mon:01:30" }
      backup  = { vault_name = "osmt-backups", schedule = "cron(30 0 * * ? *)" }
    }
  }

  assert {
    condition     = aws_db_instance.main.backup_window == "23:00-00:30" && aws_elasticache_replication_group.main.maintenance_window == "mon:00:30-mon:01:30"
    error_message = "Windows that do not overlap must be accepted unchanged."
  }
}

# desired_count of the config is the minimum number of tasks, operations.app_max_count the maximum.
resource "aws_appautoscaling_target" "app" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.app.name}"
  min_capacity       = var.config.ecs.task.app.desired_count
  max_capacity       = max(local.app_max_count, var.config.ecs.task.app.desired_count)

  tags = { Name = local.services.app }
}

# For operations.schedule, which stops the app and Elasticsearch at night or on weekends. Scheduled actions set minimum and maximum, so
# an apply at night starts the tasks again until the next stop.
resource "aws_appautoscaling_target" "elasticsearch" {
  count = var.operations.schedule == null ? 0 : 1

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.elasticsearch.name}"
  min_capacity       = 1
  max_capacity       = 1

  tags = { Name = local.services.elasticsearch }
}

locals {
  scheduled_services = { for name, size in {
    app           = { resource = aws_appautoscaling_target.app.resource_id, min = aws_appautoscaling_target.app.min_capacity, max = aws_appautoscaling_target.app.max_capacity }
    elasticsearch = { resource = one(aws_appautoscaling_target.elasticsearch[*].resource_id), min = 1, max = 1 }
  } : name => size if var.operations.schedule != null }
}

resource "aws_appautoscaling_scheduled_action" "stop" {
  for_each = local.scheduled_services

  name               = "${local.services[each.key]}-stop"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = each.value.resource
  schedule           = var.operations.schedule.stop
  timezone           = var.operations.schedule.timezone

  scalable_target_action {
    min_capacity = 0
    max_capacity = 0
  }
}

resource "aws_appautoscaling_scheduled_action" "start" {
  for_each = local.scheduled_services

  name               = "${local.services[each.key]}-start"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = each.value.resource
  schedule           = var.operations.schedule.start
  timezone           = var.operations.schedule.timezone

  scalable_target_action {
    min_capacity = each.value.min
    max_capacity = each.value.max
  }

  # Concurrent changes of the scheduled actions of one target fail.
  depends_on = [aws_appautoscaling_scheduled_action.stop]
}

resource "aws_appautoscaling_policy" "app_cpu" {
  name               = "${local.services.app}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.app.service_namespace
  scalable_dimension = aws_appautoscaling_target.app.scalable_dimension
  resource_id        = aws_appautoscaling_target.app.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.operations.autoscaling.cpu_percent
    scale_out_cooldown = var.operations.autoscaling.scale_out_cooldown
    scale_in_cooldown  = var.operations.autoscaling.scale_in_cooldown

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

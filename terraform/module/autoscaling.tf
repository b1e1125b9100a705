# The config's desired_count is the least number of tasks; under load there are more, up to operations.app_max_count.
resource "aws_appautoscaling_target" "app" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.app.name}"
  min_capacity       = var.config.ecs.task.app.desired_count
  max_capacity       = max(local.app_max_count, var.config.ecs.task.app.desired_count)

  tags = { Name = local.services.app }
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

# ECS reports why a task stopped or a deployment was rolled back only in events. A stopped task can be described for one hour.
resource "aws_cloudwatch_event_rule" "task_failed" {
  name        = "${local.name}-task-failed"
  description = "A task of a service of ${local.name} ended by itself, failed its health check or could not start"
  event_pattern = jsonencode({
    source        = ["aws.ecs"]
    "detail-type" = ["ECS Task State Change"]
    detail = {
      clusterArn = [aws_ecs_cluster.main.arn]
      lastStatus = ["STOPPED"]
      group      = [{ prefix = "service:" }]
      # Deployments and autoscaling also stop tasks, with the code ServiceSchedulerInitiated. A task that fails a health check has
      # the same code and differs only in the reason. tests/events.json has an event of each kind.
      "$or" = [
        { stopCode = ["EssentialContainerExited", "TaskFailedToStart", "SpotInterruption", "TerminationNotice"] },
        { stoppedReason = [{ wildcard = "*health check*" }] },
      ]
    }
  })

  tags = { Name = "${local.name}-task-failed" }
}

resource "aws_cloudwatch_event_target" "task_failed" {
  rule      = aws_cloudwatch_event_rule.task_failed.name
  target_id = "log"
  arn       = aws_cloudwatch_log_group.main["events"].arn
}

locals {
  service_arns = [for name in ["app", "elasticsearch"] : { prefix = "arn:${local.partition}:ecs:${local.region}:${local.account}:service/${local.name}/${local.services[name]}" }]
}

resource "aws_cloudwatch_event_rule" "deployment_failed" {
  name        = "${local.name}-deployment-failed"
  description = "A deployment of ${local.name} failed and was rolled back"
  event_pattern = jsonencode({
    source        = ["aws.ecs"]
    "detail-type" = ["ECS Deployment State Change"]
    resources     = local.service_arns
    detail        = { eventName = ["SERVICE_DEPLOYMENT_FAILED"] }
  })

  tags = { Name = "${local.name}-deployment-failed" }
}

resource "aws_cloudwatch_event_target" "deployment_failed" {
  for_each = {
    log  = aws_cloudwatch_log_group.main["events"].arn
    mail = aws_sns_topic.alarms.arn
  }

  rule      = aws_cloudwatch_event_rule.deployment_failed.name
  target_id = each.key
  arn       = each.value
}

# Warnings and errors of the scheduler: no capacity, image cannot be pulled, target unhealthy.
resource "aws_cloudwatch_event_rule" "service_trouble" {
  name        = "${local.name}-service-trouble"
  description = "ECS reports a warning or an error for a service of ${local.name}"
  event_pattern = jsonencode({
    source        = ["aws.ecs"]
    "detail-type" = ["ECS Service Action"]
    resources     = local.service_arns
    detail        = { eventType = ["WARN", "ERROR"] }
  })

  tags = { Name = "${local.name}-service-trouble" }
}

resource "aws_cloudwatch_event_target" "service_trouble" {
  rule      = aws_cloudwatch_event_rule.service_trouble.name
  target_id = "log"
  arn       = aws_cloudwatch_log_group.main["events"].arn
}

resource "aws_cloudwatch_log_resource_policy" "events" {
  policy_name = "${local.name}-events"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
        Action    = "logs:CreateLogStream"
        Resource  = "${aws_cloudwatch_log_group.main["events"].arn}:*"
      },
      {
        Effect    = "Allow"
        Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
        Action    = "logs:PutLogEvents"
        Resource  = "${aws_cloudwatch_log_group.main["events"].arn}:*"
        Condition = { ArnEquals = { "aws:SourceArn" = [
          aws_cloudwatch_event_rule.task_failed.arn, aws_cloudwatch_event_rule.deployment_failed.arn, aws_cloudwatch_event_rule.service_trouble.arn,
        ] } }
      },
    ]
  })
}

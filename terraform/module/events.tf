# ECS says why a task ended or a deployment was rolled back only in events, and forgets them within an hour.
resource "aws_cloudwatch_event_rule" "task_failed" {
  name        = "${local.name}-task-failed"
  description = "A task of a service of ${local.name} ended by itself or could not start"
  event_pattern = jsonencode({
    source        = ["aws.ecs"]
    "detail-type" = ["ECS Task State Change"]
    detail = {
      clusterArn = [aws_ecs_cluster.main.arn]
      lastStatus = ["STOPPED"]
      stopCode   = ["EssentialContainerExited", "TaskFailedToStart"]
      group      = [{ prefix = "service:" }]
    }
  })

  tags = { Name = "${local.name}-task-failed" }
}

resource "aws_cloudwatch_event_target" "task_failed" {
  rule      = aws_cloudwatch_event_rule.task_failed.name
  target_id = "log"
  arn       = aws_cloudwatch_log_group.main["events"].arn
}

resource "aws_cloudwatch_event_rule" "deployment_failed" {
  name        = "${local.name}-deployment-failed"
  description = "A deployment of ${local.name} failed and was rolled back"
  event_pattern = jsonencode({
    source        = ["aws.ecs"]
    "detail-type" = ["ECS Deployment State Change"]
    resources     = [for name in ["app", "elasticsearch"] : { prefix = "arn:${local.partition}:ecs:${local.region}:${local.account}:service/${local.name}/${local.services[name]}" }]
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
          aws_cloudwatch_event_rule.task_failed.arn, aws_cloudwatch_event_rule.deployment_failed.arn,
        ] } }
      },
    ]
  })
}

# The topic of all alarms. It exists even without alarm_emails, so that an organisation can subscribe its own tools.
resource "aws_sns_topic" "alarms" {
  name              = "${local.name}-alarms"
  display_name      = "Alarms of ${local.name}"
  kms_master_key_id = aws_kms_key.main.arn

  tags = { Name = "${local.name}-alarms" }
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsAndBudgetsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        # aws:SourceArn is the ARN of the rule ("Using IAM policy conditions in Amazon EventBridge").
        Sid       = "Events"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.deployment_failed.arn } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.operations.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

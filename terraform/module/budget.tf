# A budget is watched by AWS Budgets over everything tagged with this environment. Activate the tag "Environment" as a
# cost allocation tag once in the billing console, or the budget sees nothing.
resource "aws_budgets_budget" "monthly" {
  count = var.operations.monthly_budget_usd == null ? 0 : 1

  name         = local.global_name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_unit   = "USD"
  limit_amount = format("%.1f", var.operations.monthly_budget_usd)

  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:Environment$%s", var.config.env)]
  }

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }
    content {
      notification_type          = notification.key
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_sns_topic_arns  = [aws_sns_topic.alarms.arn]
      subscriber_email_addresses = var.operations.alarm_emails
    }
  }

  tags = { Name = local.name }
}

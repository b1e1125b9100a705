# The budget filters costs by the tag Deployment, which default_tags in main.tf set on every resource. The tag Environment alone would
# include other workloads with the same value, and cost filters cannot combine two tags with AND. Filter expressions can ("Expression"
# in the AWS Billing and Cost Management API Reference), but version 5 of the provider does not support them.
# Activate Deployment once as a cost allocation tag in the billing console. Before that the budget is always 0.
resource "aws_budgets_budget" "monthly" {
  count = var.operations.monthly_budget_usd == null ? 0 : 1

  name         = local.global_name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_unit   = "USD"
  limit_amount = format("%.1f", var.operations.monthly_budget_usd)

  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:Deployment$%s-%s", local.name, local.region)]
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

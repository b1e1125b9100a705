# AWS Budgets counts what carries the tag Deployment of this stack, which the provider's default_tags in main.tf give to
# everything. Environment alone would count every workload of the account with that value, and cost filters cannot join two
# tags: the values of one filter key are alternatives, and all tags share the key TagKeyValue. Budgets' filter expressions
# can ("Expression" in the AWS Billing and Cost Management API Reference), but version 5 of the provider has none.
# Activate Deployment once as a cost allocation tag in the billing console: until then the budget counts nothing.
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

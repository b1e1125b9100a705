# Log groups are created before the services that write to them, which would create them without encryption and expiry. The exception is
# RDSOSMetrics of enhanced monitoring, which all databases of the account share.
resource "aws_cloudwatch_log_group" "main" {
  #checkov:skip=CKV_AWS_338:retention is the organisation's decision (config.log_retention_days, default 30)
  for_each = local.log_groups

  name              = each.value
  retention_in_days = var.config.log_retention_days
  kms_key_id        = aws_kms_key.main.arn

  tags = { Name = each.value }
}

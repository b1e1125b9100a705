# For OpenTofu beside aws.tfmock.hcl: its plan already has the computed values, and an ARN must look like one.
mock_resource "aws_backup_plan" {
  defaults = { arn = "arn:aws:backup:us-west-2:123456789012:backup-plan:12345678-90ab-cdef-1234-567890abcdef" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:us-west-2:123456789012:log-group:osmt-test" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/osmt-test" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:us-west-2:123456789012:key/12345678-90ab-cdef-1234-567890abcdef" }
}

mock_resource "aws_lb" {
  defaults = { arn = "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/osmt-test/1234567890abcdef" }
}

mock_resource "aws_lb_listener" {
  defaults = { arn = "arn:aws:elasticloadbalancing:us-west-2:123456789012:listener/app/osmt-test/1234567890abcdef/1234567890abcdef" }
}

mock_resource "aws_lb_target_group" {
  defaults = { arn = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/osmt-test/1234567890abcdef" }
}

mock_resource "aws_service_discovery_service" {
  defaults = { arn = "arn:aws:servicediscovery:us-west-2:123456789012:service/srv-1234567890abcdef" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:us-west-2:123456789012:osmt-test-alarms" }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/osmt-test/12345678-90ab-cdef-1234-567890abcdef" }
}

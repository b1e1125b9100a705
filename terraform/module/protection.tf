# Deletion protection for the whole stack. prevent_destroy must be a literal, and AWS refuses to delete a protected database only after
# Terraform has deleted many other resources. This resource depends on all of them, so Terraform destroys it first. While the
# protection is on, that fails, and no resource is deleted. docs/decisions has the reasons.
resource "terraform_data" "protection" {
  input = {
    protected = var.config.rds.enable_deletion_protection || var.config.alb.enable_deletion_protection
  }

  # A change of one of these replaces the network and all resources in it, so it is treated as a destroy.
  triggers_replace = {
    account_id = var.config.account_id
    region     = var.config.region
    env        = var.config.env
    vpc_cidr   = var.config.vpc.vpc_cidr
  }

  # The value is read from the state, so turning the protection off needs a separate apply.
  provisioner "local-exec" {
    when    = destroy
    command = self.output.protected ? "echo Deletion protection is on. Set rds.enable_deletion_protection and alb.enable_deletion_protection to false, apply, then destroy. && exit 1" : "exit 0"
  }

  depends_on = [
    aws_appautoscaling_policy.app_cpu,
    aws_appautoscaling_scheduled_action.start,
    aws_backup_selection.main,
    aws_budgets_budget.monthly,
    aws_cloudwatch_dashboard.main,
    aws_cloudwatch_event_target.deployment_failed,
    aws_cloudwatch_event_target.service_trouble,
    aws_cloudwatch_event_target.task_failed,
    aws_cloudwatch_log_metric_filter.health,
    aws_cloudwatch_log_resource_policy.events,
    aws_cloudwatch_metric_alarm.main,
    aws_db_instance.main,
    aws_default_security_group.closed,
    aws_ecs_service.app,
    aws_ecs_service.elasticsearch,
    aws_ecs_task_definition.maintenance,
    aws_efs_file_system_policy.elasticsearch,
    aws_efs_mount_target.elasticsearch,
    aws_elasticache_replication_group.main,
    aws_flow_log.vpc,
    aws_kms_alias.main,
    aws_lb_listener.http,
    aws_lb_listener.https,
    aws_lb_listener_rule.no_job_queue,
    aws_route.public_ipv4,
    aws_route.public_ipv6,
    aws_route53_record.app,
    aws_route_table_association.public,
    aws_s3_bucket_lifecycle_configuration.access_logs,
    aws_s3_bucket_ownership_controls.access_logs,
    aws_s3_bucket_policy.access_logs,
    aws_s3_bucket_server_side_encryption_configuration.access_logs,
    aws_secretsmanager_secret_version.db_uri,
    aws_sns_topic_policy.alarms,
    aws_sns_topic_subscription.email,
    aws_vpc_endpoint.s3,
    aws_vpc_security_group_ingress_rule.public,
    aws_wafv2_web_acl_association.main,
    aws_wafv2_web_acl_logging_configuration.main,
    data.aws_caller_identity.current,
    data.aws_region.current,
  ]
}

# Resources that operations adds: an internal load balancer, a web ACL, backups, a schedule, a restore.
mock_provider "aws" {
  source = "./tests/mocks"
}

run "internal_load_balancer_in_our_network" {
  command = plan

  variables {
    operations = { internal_load_balancer = true }
  }

  assert {
    condition     = aws_lb.main.internal && aws_lb.main.ip_address_type == "ipv4" && length(aws_vpc_security_group_ingress_rule.public) == 2
    error_message = "The private subnets have no IPv6 block, so an internal load balancer admits IPv4 only."
  }
}

run "web_acl" {
  command = plan

  variables {
    operations = { waf = {} }
  }

  assert {
    condition = { for rule in aws_wafv2_web_acl.main[0].rule : rule.name => rule.priority } == {
      rate-limit                            = 0
      AWSManagedRulesAmazonIpReputationList = 1, AWSManagedRulesKnownBadInputsRuleSet = 2, AWSManagedRulesCommonRuleSet = 3, AWSManagedRulesSQLiRuleSet = 4
      outside-api-CrossSiteScripting_Body   = 100, outside-api-EC2MetaDataSSRF_Body = 101, outside-api-GenericRFI_Body = 102
      outside-api-SizeRestrictions_Body     = 103, outside-api-SQLi_Body = 104
    }
    error_message = "The rate limit comes first, then AWS's rules, then what they labelled outside /api."
  }

  assert {
    condition = toset(flatten([for rule in aws_wafv2_web_acl.main[0].rule : [
      for override in one(one(rule.statement).managed_rule_group_statement).rule_action_override : override.name if length(one(override.action_to_use).count) == 1
    ] if rule.name == "AWSManagedRulesCommonRuleSet"])) == toset(["CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericRFI_BODY", "SizeRestrictions_BODY"])
    error_message = "The rules that read bodies must only count, or an upload of skills is blocked."
  }

  assert {
    condition = { for rule in aws_wafv2_web_acl.main[0].rule : one(one(one(rule.statement).and_statement).statement[0].label_match_statement).key =>
      one(one(one(one(one(rule.statement).and_statement).statement[1].not_statement).statement).byte_match_statement).search_string
      if startswith(rule.name, "outside-api-") && try(length(one(rule.action).block) == 1, false)
      } == {
      "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"   = "/api/"
      "awswaf:managed:aws:core-rule-set:CrossSiteScripting_Body" = "/api/"
      "awswaf:managed:aws:core-rule-set:GenericRFI_Body"         = "/api/"
      "awswaf:managed:aws:core-rule-set:EC2MetaDataSSRF_Body"    = "/api/"
      "awswaf:managed:aws:sql-database:SQLi_Body"                = "/api/"
    }
    error_message = "What the rules that read bodies have labelled must be blocked everywhere but under /api/."
  }

  assert {
    condition     = length(aws_wafv2_web_acl_association.main) == 1 && startswith(aws_cloudwatch_log_group.waf[0].name, "aws-waf-logs-") && length(aws_wafv2_web_acl_logging_configuration.main[0].redacted_fields) == 3
    error_message = "The web ACL must be before the load balancer and log what it blocks, without tokens."
  }
}

run "no_web_acl_by_default" {
  command = plan

  assert {
    condition     = length(aws_wafv2_web_acl.main) == 0 && length(aws_wafv2_web_acl_association.main) == 0 && length(aws_backup_plan.main) == 0 && length(aws_appautoscaling_scheduled_action.stop) == 0
    error_message = "By default there must be no web ACL, no AWS Backup and no schedule."
  }
}

run "backups" {
  command = plan

  variables {
    operations = {
      database_kms_key_arn = "arn:aws:kms:us-west-2:123456789012:key/12345678-90ab-cdef-1234-567890abcdef"
      backup = {
        vault_name = "osmt-backups"
        keep_days  = 60
        copy_to = {
          "arn:aws:backup:us-east-1:123456789012:backup-vault:osmt-backups" = 90
          "arn:aws:backup:us-west-2:210987654321:backup-vault:osmt-backups" = 365
        }
      }
    }
  }

  assert {
    condition = (
      one(aws_backup_plan.main[0].rule).target_vault_name == "osmt-backups" && one(one(aws_backup_plan.main[0].rule).lifecycle).delete_after == 60 &&
      { for copy in one(aws_backup_plan.main[0].rule).copy_action : copy.destination_vault_arn => one(copy.lifecycle).delete_after } == {
        "arn:aws:backup:us-east-1:123456789012:backup-vault:osmt-backups" = 90
        "arn:aws:backup:us-west-2:210987654321:backup-vault:osmt-backups" = 365
      }
    )
    error_message = "A recovery point a day must go into the vault, and a copy into each other one."
  }

  assert {
    condition     = aws_db_instance.main.kms_key_id == "arn:aws:kms:us-west-2:123456789012:key/12345678-90ab-cdef-1234-567890abcdef"
    error_message = "The database must be encrypted with the key given."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role.backup[0].assume_role_policy).Statement == jsondecode(jsonencode([{
        Effect    = "Allow", Principal = { Service = "backup.amazonaws.com" }, Action = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } }
      }])) &&
      aws_iam_role_policy_attachment.backup[0].policy_arn == "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    )
    error_message = "Only AWS Backup may take the role, for this account, and with AWS's policy for backups alone."
  }
}

run "stopped_at_night" {
  command = plan

  variables {
    operations = { schedule = { stop = "cron(0 19 ? * MON-FRI *)", start = "cron(0 7 ? * MON-FRI *)", timezone = "America/Denver" } }
  }

  assert {
    condition = (
      keys(aws_appautoscaling_scheduled_action.stop) == ["app", "elasticsearch"] &&
      alltrue([for action in aws_appautoscaling_scheduled_action.stop : tostring(one(action.scalable_target_action).max_capacity) == "0" && action.timezone == "America/Denver"]) &&
      tostring(one(aws_appautoscaling_scheduled_action.start["app"].scalable_target_action).min_capacity) == "2" &&
      tostring(one(aws_appautoscaling_scheduled_action.start["elasticsearch"].scalable_target_action).max_capacity) == "1"
    )
    error_message = "Both services must stop, and start again with the number of tasks in the config."
  }

  assert {
    condition     = length(setintersection(keys(aws_cloudwatch_metric_alarm.main), ["app-down", "app-tasks", "elasticsearch-down"])) == 0
    error_message = "A scheduled stop must not raise an alarm."
  }
}

run "restored_to_a_point_in_time" {
  command = plan

  variables {
    operations = { restore_to_point_in_time = { source_dbi_resource_id = "db-ABCDEFGHIJKLMNOP", restore_time = "2026-11-22T06:30:00Z" } }
  }

  assert {
    condition = (
      one(aws_db_instance.main.restore_to_point_in_time).source_dbi_resource_id == "db-ABCDEFGHIJKLMNOP" &&
      one(aws_db_instance.main.restore_to_point_in_time).restore_time == "2026-11-22T06:30:00Z"
    )
    error_message = "The database must be created from the other one's backups."
  }
}

# What each policy grants, word for word: a statement more, or a wider one, is a decision that changes this file.
mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target          = aws_kms_key.main
  override_during = plan
  values          = { arn = "arn:aws:kms:us-west-2:123456789012:key/main" }
}

override_resource {
  target          = aws_sns_topic.alarms
  override_during = plan
  values          = { arn = "arn:aws:sns:us-west-2:123456789012:osmt-test-alarms" }
}

override_resource {
  target          = aws_efs_file_system.elasticsearch
  override_during = plan
  values          = { arn = "arn:aws:elasticfilesystem:us-west-2:123456789012:file-system/fs-1" }
}

override_resource {
  target          = aws_efs_access_point.elasticsearch
  override_during = plan
  values          = { arn = "arn:aws:elasticfilesystem:us-west-2:123456789012:access-point/fsap-1" }
}

override_resource {
  target          = aws_iam_role.task["elasticsearch"]
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/osmt-test-elasticsearch-task" }
}

override_resource {
  target          = aws_s3_bucket.access_logs[0]
  override_during = plan
  values          = { arn = "arn:aws:s3:::the-log-bucket" }
}

override_resource {
  target          = aws_cloudwatch_event_rule.task_failed
  override_during = plan
  values          = { arn = "arn:aws:events:us-west-2:123456789012:rule/task-failed" }
}

override_resource {
  target          = aws_cloudwatch_event_rule.deployment_failed
  override_during = plan
  values          = { arn = "arn:aws:events:us-west-2:123456789012:rule/deployment-failed" }
}

override_resource {
  target          = aws_cloudwatch_event_rule.service_trouble
  override_during = plan
  values          = { arn = "arn:aws:events:us-west-2:123456789012:rule/service-trouble" }
}

override_resource {
  target          = aws_cloudwatch_log_group.main["app"]
  override_during = plan
  values          = { arn = "arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/app" }
}

override_resource {
  target          = aws_cloudwatch_log_group.main["maintenance"]
  override_during = plan
  values          = { arn = "arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/maintenance" }
}

override_resource {
  target          = aws_cloudwatch_log_group.main["elasticsearch"]
  override_during = plan
  values          = { arn = "arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/elasticsearch" }
}

override_resource {
  target          = aws_cloudwatch_log_group.main["exec"]
  override_during = plan
  values          = { arn = "arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/exec" }
}

override_resource {
  target          = aws_cloudwatch_log_group.main["flow"]
  override_during = plan
  values          = { arn = "arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/flow" }
}

override_resource {
  target          = aws_cloudwatch_log_group.main["events"]
  override_during = plan
  values          = { arn = "arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/events" }
}

run "key" {
  command = plan

  assert {
    condition = jsondecode(aws_kms_key.main.policy).Statement == jsondecode(jsonencode([
      { Sid = "Account", Effect = "Allow", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Action = "kms:*", Resource = "*" },
      {
        Sid    = "Logs", Effect = "Allow", Principal = { Service = "logs.us-west-2.amazonaws.com" }, Resource = "*"
        Action = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = [
          "arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/*",
          "arn:aws:logs:us-west-2:123456789012:log-group:/aws/rds/instance/osmt-test/*",
          "arn:aws:logs:us-west-2:123456789012:log-group:/aws/ecs/containerinsights/osmt-test/*",
        ] } }
      },
      {
        Sid       = "Alarms", Effect = "Allow", Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }, Resource = "*"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } }
      },
      {
        Sid       = "Events", Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Resource = "*"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Condition = { StringEquals = { "kms:EncryptionContext:aws:sns:topicArn" = "arn:aws:sns:us-west-2:123456789012:osmt-test-alarms" } }
      },
    ]))
    error_message = "The key serves this account, and of AWS's services only those that write this stack's logs and alarms."
  }
}

run "topic" {
  command = plan

  assert {
    condition = jsondecode(aws_sns_topic_policy.alarms.policy).Statement == jsondecode(jsonencode([
      {
        Sid       = "AlarmsAndBudgetsOfThisAccount", Effect = "Allow", Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = "sns:Publish", Resource = "arn:aws:sns:us-west-2:123456789012:osmt-test-alarms"
        Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } }
      },
      {
        Sid       = "Events", Effect = "Allow", Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish", Resource = "arn:aws:sns:us-west-2:123456789012:osmt-test-alarms"
        Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:events:us-west-2:123456789012:rule/deployment-failed" } }
      },
    ]))
    error_message = "Only this account's alarms and budgets, and the one rule, may publish."
  }
}

run "log_bucket" {
  command = plan

  assert {
    condition = jsondecode(aws_s3_bucket_policy.access_logs[0].policy).Statement == jsondecode(jsonencode([
      {
        Sid       = "LoadBalancerWrites", Effect = "Allow", Action = "s3:PutObject", Resource = "arn:aws:s3:::the-log-bucket/AWSLogs/123456789012/*"
        Principal = { AWS = "arn:aws:iam::797873946194:root", Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
      },
      {
        Sid       = "TlsOnly", Effect = "Deny", Principal = "*", Action = "s3:*", Resource = ["arn:aws:s3:::the-log-bucket", "arn:aws:s3:::the-log-bucket/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]))
    error_message = "Only Elastic Load Balancing may write, only below this account's folder, and no one without TLS."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.access_logs[0].block_public_acls, aws_s3_bucket_public_access_block.access_logs[0].block_public_policy,
      aws_s3_bucket_public_access_block.access_logs[0].ignore_public_acls, aws_s3_bucket_public_access_block.access_logs[0].restrict_public_buckets,
    ])
    error_message = "The log bucket must not become public."
  }
}

run "index" {
  command = plan

  assert {
    condition = jsondecode(aws_efs_file_system_policy.elasticsearch.policy).Statement == jsondecode(jsonencode([
      {
        Sid       = "OnlyElasticsearch", Effect = "Allow", Principal = { AWS = "arn:aws:iam::123456789012:role/osmt-test-elasticsearch-task" }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], Resource = "arn:aws:elasticfilesystem:us-west-2:123456789012:file-system/fs-1"
        Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = "arn:aws:elasticfilesystem:us-west-2:123456789012:access-point/fsap-1" } }
      },
      {
        Sid       = "TlsOnly", Effect = "Deny", Principal = { AWS = "*" }, Action = "*", Resource = "arn:aws:elasticfilesystem:us-west-2:123456789012:file-system/fs-1"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]))
    error_message = "Only Elasticsearch's task may mount the index, by its access point, and no one without TLS."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.elasticsearch_files.policy).Statement == jsondecode(jsonencode([{
      Effect    = "Allow"
      Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], Resource = ["arn:aws:elasticfilesystem:us-west-2:123456789012:file-system/fs-1"]
      Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = "arn:aws:elasticfilesystem:us-west-2:123456789012:access-point/fsap-1" } }
    }]))
    error_message = "Elasticsearch may mount and write its index, and nothing else."
  }
}

run "starting_a_task" {
  command = plan

  override_data {
    target = data.aws_secretsmanager_secret.app
    values = { arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/app-AbCdEf" }
  }

  override_data {
    target = data.aws_secretsmanager_secret.rds
    values = { arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/rds-AbCdEf" }
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.execution["app"].policy).Statement == jsondecode(jsonencode([
      { Sid = "Logs", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/app:*"] },
      { Sid = "Secrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = [
        "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/db-uri-AbCdEf", "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/app-AbCdEf",
      ] },
      { Sid = "SecretsKey", Effect = "Allow", Action = ["kms:Decrypt"], Resource = ["arn:aws:kms:us-west-2:123456789012:key/main"] },
    ]))
    error_message = "The app task's execution role must write its log and read its two secrets, and nothing else."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.execution["maintenance"].policy).Statement == jsondecode(jsonencode([
      { Sid = "Logs", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/maintenance:*"] },
      { Sid = "Secrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = [
        "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/db-uri-AbCdEf", "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/rds-AbCdEf",
      ] },
      { Sid = "SecretsKey", Effect = "Allow", Action = ["kms:Decrypt"], Resource = ["arn:aws:kms:us-west-2:123456789012:key/main"] },
    ]))
    error_message = "The maintenance task's execution role must write its log and read its two secrets, and nothing else."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.execution["elasticsearch"].policy).Statement == jsondecode(jsonencode([{ Sid = "Logs", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/elasticsearch:*"] }]))
    error_message = "Elasticsearch's execution role must write its log, and nothing else."
  }

  assert {
    condition = alltrue([for role in concat(values(aws_iam_role.execution), values(aws_iam_role.task)) : jsondecode(role.assume_role_policy).Statement == jsondecode(jsonencode([{
      Effect    = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" }, ArnLike = { "aws:SourceArn" = "arn:aws:ecs:us-west-2:123456789012:*" } }
    }]))])
    error_message = "Only ECS may take the tasks' roles, and only for this account and region."
  }

  assert {
    condition     = length(aws_iam_role_policy.exec) == 0
    error_message = "Without operations.ecs_exec no task may open a channel."
  }
}

run "exec" {
  command = plan

  variables {
    operations = { ecs_exec = true }
  }

  assert {
    condition = alltrue([for policy in aws_iam_role_policy.exec : jsondecode(policy.policy).Statement == jsondecode(jsonencode([
      { Sid = "Channel", Effect = "Allow", Resource = ["*"], Action = [
        "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel", "logs:DescribeLogGroups",
      ] },
      { Sid = "Record", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], Resource = ["arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/exec:*"] },
      { Sid = "Key", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = ["arn:aws:kms:us-west-2:123456789012:key/main"] },
    ]))])
    error_message = "A shell needs its channel, its record and the key, and nothing else."
  }
}

run "services_that_write_logs" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role_policy.flow_log.policy).Statement == jsondecode(jsonencode([{ Effect = "Allow", Action = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], Resource = ["arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/flow:*"] }]))
    error_message = "Flow logs must go into their own group, and nowhere else."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_log_resource_policy.events.policy_document).Statement == jsondecode(jsonencode([
      {
        Effect = "Allow", Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
        Action = "logs:CreateLogStream", Resource = "arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/events:*"
      },
      {
        Effect = "Allow", Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
        Action = "logs:PutLogEvents", Resource = "arn:aws:logs:us-west-2:123456789012:log-group:/osmt/test/events:*"
        Condition = { ArnEquals = { "aws:SourceArn" = [
          "arn:aws:events:us-west-2:123456789012:rule/task-failed", "arn:aws:events:us-west-2:123456789012:rule/deployment-failed", "arn:aws:events:us-west-2:123456789012:rule/service-trouble",
        ] } }
      },
    ]))
    error_message = "Only this stack's three rules may write events."
  }

  assert {
    condition = alltrue([for role, service in { (aws_iam_role.flow_log.assume_role_policy) = "vpc-flow-logs.amazonaws.com", (aws_iam_role.rds_monitoring.assume_role_policy) = "monitoring.rds.amazonaws.com" } :
    jsondecode(role).Statement == jsondecode(jsonencode([{ Effect = "Allow", Principal = { Service = service }, Action = "sts:AssumeRole", Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } } }]))])
    error_message = "Each service must be able to take its own role, and for this account only."
  }
}

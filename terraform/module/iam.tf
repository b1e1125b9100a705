# Two roles for each task: ECS uses the execution role to start it (pull the image, write logs, read secrets); the code in the
# container uses the task role.
locals {
  optional_secrets = concat(data.aws_secretsmanager_secret.elasticsearch[*].arn, data.aws_secretsmanager_secret.extra[*].arn)

  # Per task: the secrets and the image that its execution role may read.
  task_roles = {
    app = {
      secrets = concat([aws_secretsmanager_secret.db_uri.arn, data.aws_secretsmanager_secret.app.arn], local.optional_secrets)
      login   = var.operations.registry_credentials.app
      image   = var.config.ecs.task.app.docker_image
    }
    maintenance = {
      secrets = concat([aws_secretsmanager_secret.db_uri.arn, data.aws_secretsmanager_secret.rds.arn], local.optional_secrets)
      login   = var.operations.registry_credentials.app
      image   = var.config.ecs.task.app.docker_image
    }
    elasticsearch = {
      secrets = data.aws_secretsmanager_secret.elasticsearch[*].arn
      login   = var.operations.registry_credentials.elasticsearch
      image   = var.config.ecs.task.elasticsearch.docker_image
    }
  }

  # The ARN of an ECR repository; empty for an image in another registry.
  ecr_repositories = { for name, role in local.task_roles : name => [
    for m in regexall("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com/(.+)$", role.image) :
    "arn:${local.partition}:ecr:${m[1]}:${m[0]}:repository/${m[2]}"
  ] }

  ecs_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })
}

resource "aws_iam_role" "execution" {
  for_each = local.task_roles

  name               = "${local.global_name}-${each.key}-execution"
  description        = "Starts the ${each.key} task of ${local.name}: image, log stream, secrets"
  assume_role_policy = local.ecs_trust

  tags = { Name = "${local.global_name}-${each.key}-execution" }
}

resource "aws_iam_role_policy" "execution" {
  for_each = local.task_roles

  name = "start"
  role = aws_iam_role.execution[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.main[each.key].arn}:*"]
      }],
      length(each.value.secrets) == 0 ? [] : [
        {
          Sid      = "Secrets"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = each.value.secrets
        },
        {
          Sid      = "SecretsKey"
          Effect   = "Allow"
          Action   = ["kms:Decrypt"]
          Resource = [aws_kms_key.main.arn]
        },
      ],
      length(local.ecr_repositories[each.key]) == 0 ? [] : [
        {
          # This action does not support resource-level permissions.
          Sid      = "RegistryLogin"
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = ["*"]
        },
        {
          Sid      = "RegistryPull"
          Effect   = "Allow"
          Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = local.ecr_repositories[each.key]
        },
      ],
      # The first pull through a cache rule creates the repository ("Pull through cache" in the Amazon ECR User Guide).
      length(local.ecr_repositories[each.key]) == 0 || !var.operations.ecr_pull_through_cache ? [] : [
        {
          Sid      = "RegistryPullThrough"
          Effect   = "Allow"
          Action   = ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"]
          Resource = local.ecr_repositories[each.key]
        },
      ],
      each.value.login == null ? [] : [
        {
          Sid      = "RegistryCredentials"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = [each.value.login]
        },
      ],
    )
  })
}

resource "aws_iam_role" "task" {
  for_each = local.task_roles

  name               = "${local.global_name}-${each.key}-task"
  description        = "What the ${each.key} container of ${local.name} may do in AWS"
  assume_role_policy = local.ecs_trust

  tags = { Name = "${local.global_name}-${each.key}-task" }
}

# Only this role may mount the file system of the index.
resource "aws_iam_role_policy" "elasticsearch_files" {
  name = "files"
  role = aws_iam_role.task["elasticsearch"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
      Resource  = [aws_efs_file_system.elasticsearch.arn]
      Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.elasticsearch.arn } }
    }]
  })
}

# ECS Exec, only with operations.ecs_exec.
resource "aws_iam_role_policy" "exec" {
  for_each = var.operations.ecs_exec ? toset(["app", "elasticsearch"]) : toset([])

  name = "exec"
  role = aws_iam_role.task[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Channel"
        Effect = "Allow"
        Action = [
          "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel", "logs:DescribeLogGroups",
        ]
        Resource = ["*"]
      },
      {
        Sid      = "Record"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.main["exec"].arn}:*"]
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [aws_kms_key.main.arn]
      },
    ]
  })
}

resource "aws_iam_role" "rds_monitoring" {
  name        = "${local.global_name}-rds-monitoring"
  description = "Enhanced monitoring of the database of ${local.name}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  tags = { Name = "${local.name}-rds-monitoring" }
}

resource "aws_iam_role_policy_attachment" "rds_monitoring" {
  role       = aws_iam_role.rds_monitoring.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_iam_role" "flow_log" {
  name        = "${local.global_name}-flow-log"
  description = "VPC flow logs of ${local.name}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  tags = { Name = "${local.name}-flow-log" }
}

resource "aws_iam_role_policy" "flow_log" {
  name = "write"
  role = aws_iam_role.flow_log.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = ["${aws_cloudwatch_log_group.main["flow"].arn}:*"]
    }]
  })
}

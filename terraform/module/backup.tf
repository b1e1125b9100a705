# AWS Backup, only with operations.backup. The vault, its lock and its key must outlive the stack, so terraform/vault creates them, with
# a separate state. Only the database is backed up: the index can be built from it, and the cache contains only sessions.
resource "aws_iam_role" "backup" {
  count = var.operations.backup == null ? 0 : 1

  name        = "${local.global_name}-backup"
  description = "AWS Backup of the database of ${local.name}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "backup.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  tags = { Name = "${local.global_name}-backup" }
}

resource "aws_iam_role_policy_attachment" "backup" {
  count = var.operations.backup == null ? 0 : 1

  role       = aws_iam_role.backup[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}

resource "aws_backup_plan" "main" {
  count = var.operations.backup == null ? 0 : 1

  name = local.name

  rule {
    rule_name         = "daily"
    target_vault_name = var.operations.backup.vault_name
    schedule          = var.operations.backup.schedule
    # The schedule must not be in the database's backup window, in which RDS refuses another snapshot.
    start_window      = 60
    completion_window = 360

    lifecycle {
      delete_after = var.operations.backup.keep_days
    }

    recovery_point_tags = { Application = "osmt", Environment = var.config.env, Name = local.name }

    dynamic "copy_action" {
      for_each = var.operations.backup.copy_to
      content {
        destination_vault_arn = copy_action.key

        lifecycle {
          delete_after = copy_action.value
        }
      }
    }
  }

  tags = { Name = local.name }
}

resource "aws_backup_selection" "main" {
  count = var.operations.backup == null ? 0 : 1

  name         = local.name
  plan_id      = aws_backup_plan.main[0].id
  iam_role_arn = aws_iam_role.backup[0].arn
  resources    = [aws_db_instance.main.arn]

  depends_on = [aws_iam_role_policy_attachment.backup]
}

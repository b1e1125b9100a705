resource "aws_db_subnet_group" "main" {
  name        = local.name
  description = "Private subnets of ${local.name}"
  subnet_ids  = local.private_subnet_ids

  tags = { Name = local.name }
}

# OSMT's first migration creates an index that is too long for utf8mb4 (error 1071); a later migration converts the tables. So the
# database starts with utf8mb3. RDS may still create it with its default, because a new parameter group should not be used for five
# minutes (API_CreateDBParameterGroup). The maintenance task works with both.
resource "aws_db_parameter_group" "main" {
  name_prefix = "${local.name}-"
  description = "OSMT on ${var.config.rds.parameter_group_family}"
  family      = var.config.rds.parameter_group_family

  dynamic "parameter" {
    for_each = merge(var.operations.database_character_set == "default" ? {} : {
      character_set_server = var.operations.database_character_set
      collation_server     = "${var.operations.database_character_set}_unicode_ci"
      }, {
      require_secure_transport = "1"
      slow_query_log           = "1"
      long_query_time          = "2"
      log_output               = "FILE"
    })
    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  tags = { Name = local.name }

  lifecycle {
    create_before_destroy = true
  }
}

# The name of the final snapshot must be unique when the database is deleted, and a stack with the same name may have existed before.
# So the name contains the time at which this stack was created.
resource "terraform_data" "life" {
  input = formatdate("YYYYMMDD'T'hhmmss'Z'", plantimestamp())

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_db_instance" "main" {
  #checkov:skip=CKV_AWS_161:OSMT builds its JDBC URL from a user and a password; it does not support IAM authentication
  #checkov:skip=CKV_AWS_226:on if config.rds.engine_version has two numbers; with a full version the config decides
  identifier     = local.name
  engine         = "mysql"
  engine_version = var.config.rds.engine_version
  instance_class = var.config.rds.instance_class
  # RDS does not accept a database name when it restores MySQL to a point in time.
  db_name = var.operations.restore_to_point_in_time == null ? var.config.rds.db_name : null
  port    = local.ports.mysql

  username            = local.database_username
  password_wo         = var.database_credentials.password
  password_wo_version = var.config.secrets_revision

  storage_type          = "gp3"
  allocated_storage     = var.config.rds.allocated_storage
  max_allocated_storage = min(max(100, var.config.rds.allocated_storage * 5), 65536)
  # The default is the AWS managed key aws/rds. The key must outlive the stack, because the final snapshot needs it, so this module
  # does not create one. Snapshots with aws/rds cannot be copied to another account ("Sharing encrypted snapshots" in the Amazon RDS
  # User Guide).
  storage_encrypted = true
  kms_key_id        = var.operations.database_kms_key_arn

  multi_az                            = var.config.rds.multi_az
  db_subnet_group_name                = aws_db_subnet_group.main.name
  vpc_security_group_ids              = [aws_security_group.rds.id]
  publicly_accessible                 = false
  parameter_group_name                = aws_db_parameter_group.main.name
  iam_database_authentication_enabled = false

  backup_retention_period   = var.config.rds.backup_retention_days
  backup_window             = var.operations.windows.backup
  maintenance_window        = var.operations.windows.maintenance
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  deletion_protection       = var.config.rds.enable_deletion_protection
  skip_final_snapshot       = var.config.rds.skip_final_snapshot
  final_snapshot_identifier = "${local.name}-final-${lower(terraform_data.life.output)}"
  snapshot_identifier       = var.operations.restore_from_snapshot

  # With two numbers (8.4) RDS installs minor versions, and Terraform accepts any of them. With three numbers an automatic upgrade
  # would make Terraform plan a downgrade, which RDS refuses.
  auto_minor_version_upgrade  = length(split(".", var.config.rds.engine_version)) == 2
  allow_major_version_upgrade = var.operations.allow_major_version_upgrade
  engine_lifecycle_support    = var.operations.engine_lifecycle_support
  apply_immediately           = var.operations.apply_immediately

  # Without the general log, which contains every statement with its values.
  enabled_cloudwatch_logs_exports = ["error", "slowquery"]
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
  # Small burstable classes do not support Performance Insights.
  performance_insights_enabled    = local.performance_insights
  performance_insights_kms_key_id = local.performance_insights ? aws_kms_key.main.arn : null

  dynamic "restore_to_point_in_time" {
    for_each = var.operations.restore_to_point_in_time[*]
    content {
      source_db_instance_identifier            = restore_to_point_in_time.value.source_db_instance_identifier
      source_dbi_resource_id                   = restore_to_point_in_time.value.source_dbi_resource_id
      source_db_instance_automated_backups_arn = restore_to_point_in_time.value.source_db_instance_automated_backups_arn
      restore_time                             = restore_to_point_in_time.value.restore_time
      use_latest_restorable_time               = restore_to_point_in_time.value.restore_time == null ? true : null
    }
  }

  dynamic "blue_green_update" {
    for_each = var.operations.blue_green_update ? [true] : []
    content {
      enabled = true
    }
  }

  tags = { Name = local.name }

  depends_on = [aws_cloudwatch_log_group.main, aws_iam_role_policy_attachment.rds_monitoring]

  lifecycle {
    # They are used only at creation: removing the setting later must not replace the database.
    ignore_changes = [snapshot_identifier, restore_to_point_in_time]

    # "PreferredBackupWindow" and "PreferredMaintenanceWindow" in the API References of Amazon RDS and Amazon ElastiCache.
    precondition {
      condition     = alltrue([for name, window in local.windows : window.length >= (name == "backup" ? 30 : 60)])
      error_message = "A window in operations.windows is too short: backup needs 30 minutes, snapshot and maintenance 60."
    }
    # On every day of the week, neither of two windows begins in the other.
    precondition {
      condition = alltrue(flatten([for name in ["backup", "snapshot"] : [for day in range(7) :
        (1440 * day + local.windows[name].start - local.windows.maintenance.start + 20160) % 10080 >= local.windows.maintenance.length &&
        (local.windows.maintenance.start - 1440 * day - local.windows[name].start + 20160) % 10080 >= local.windows[name].length
      ]]))
      error_message = "Windows in operations.windows overlap: maintenance must not overlap backup or snapshot on any day."
    }
    # AWS Backup starts within an hour after the schedule (backup.tf), and RDS refuses other snapshots in its backup window.
    precondition {
      condition = alltrue([for at in regexall("^cron\\(([0-9]+) ([0-9]+) ", try(var.operations.backup.schedule, "")) :
        (local.windows.backup.start - 60 * at[1] - at[0] + 2880) % 1440 >= 60 &&
        (60 * at[1] + at[0] - local.windows.backup.start + 2880) % 1440 >= local.windows.backup.length
      ])
      error_message = "operations.backup.schedule begins in operations.windows.backup or less than an hour before it, where RDS would refuse the snapshot."
    }
  }

  timeouts {
    create = "60m"
    update = "80m"
  }
}

locals {
  performance_insights = !can(regex("^db\\.t(2|3|4g)\\.(micro|small)$", var.config.rds.instance_class))

  # Minutes since the beginning of the week, or of the day for a daily window.
  window_times = { for name, window in var.operations.windows : name => [for time in regexall("(?:(mon|tue|wed|thu|fri|sat|sun):)?([0-9]{2}):([0-9]{2})", window) :
  1440 * try(index(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], time[0]), 0) + 60 * parseint(time[1], 10) + parseint(time[2], 10)] }
  windows = { for name, times in local.window_times : name => {
    start  = times[0]
    length = (times[1] - times[0] + 10080) % (name == "maintenance" ? 10080 : 1440)
  } }
}

# The vault for the database's backups, its key and its lock. It has a state of its own, because it must outlive every stack
# that writes into it: destroying a stack, its state bucket or its keys leaves these recovery points readable. Apply it once
# for each account and Region that holds backups or copies. docs/terraform.md, "Backups", has the commands.
#
# No backend is set: the state is a local file until you add the organisation's own. Not the state bucket of the stack,
# which osmt-bootstrap destroy removes.
terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      Application = "osmt"
      ManagedBy   = "terraform"
    }
  }
}

data "aws_partition" "current" {}

resource "aws_kms_key" "vault" {
  description             = "Recovery points in the backup vault ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${var.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })

  tags = { Name = var.name }

  # Without the key every recovery point is unreadable.
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "vault" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.vault.key_id
}

resource "aws_backup_vault" "main" {
  name        = var.name
  kms_key_arn = aws_kms_key.vault.arn

  tags = { Name = var.name }

  lifecycle {
    prevent_destroy = true
  }
}

# In governance mode an administrator of AWS Backup can still remove the lock. With changeable_for_days it is compliance
# mode: after that many days no one can remove the lock or delete a recovery point before its time, AWS included
# ("AWS Backup Vault Lock" in the AWS Backup Developer Guide).
resource "aws_backup_vault_lock_configuration" "main" {
  backup_vault_name   = aws_backup_vault.main.name
  min_retention_days  = var.min_retention_days
  max_retention_days  = var.max_retention_days
  changeable_for_days = var.changeable_for_days
}

# No one deletes a recovery point by hand, and only the accounts named copy into this vault.
resource "aws_backup_vault_policy" "main" {
  backup_vault_name = aws_backup_vault.main.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "KeepUntilItExpires"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = ["backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle", "backup:PutBackupVaultAccessPolicy", "backup:DeleteBackupVaultAccessPolicy"]
        Resource  = "*"
        Condition = { ArnNotLike = { "aws:PrincipalArn" = var.administrator_arns } }
      }],
      length(var.copies_from) == 0 ? [] : [{
        Sid       = "CopiesFromOtherAccounts"
        Effect    = "Allow"
        Principal = { AWS = [for account in sort(var.copies_from) : "arn:${data.aws_partition.current.partition}:iam::${account}:root"] }
        Action    = ["backup:CopyIntoBackupVault"]
        Resource  = "*"
      }],
    )
  })
}

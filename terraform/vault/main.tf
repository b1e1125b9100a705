# The vault for the database's backups, with its key and its lock. It has a separate state, because it must outlive every stack that
# uses it: the recovery points remain readable after a stack, its state bucket or its keys are deleted. Apply it once for each account
# and Region with backups or copies. docs/terraform.md, "Backups and restores", has the commands.
#
# Without a backend the state is a local file. You can add a backend of your organisation, but not the state bucket of the stack, which
# osmt-bootstrap destroy removes.
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

  # Without the key the recovery points are unreadable.
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

# In governance mode an administrator of AWS Backup can remove the lock. changeable_for_days turns on compliance mode: after that many
# days no one, including AWS, can remove the lock or delete a recovery point early ("AWS Backup Vault Lock" in the AWS Backup Developer
# Guide).
resource "aws_backup_vault_lock_configuration" "main" {
  backup_vault_name   = aws_backup_vault.main.name
  min_retention_days  = var.min_retention_days
  max_retention_days  = var.max_retention_days
  changeable_for_days = var.changeable_for_days
}

# Only administrators may delete recovery points, and only the given accounts may copy into this vault.
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

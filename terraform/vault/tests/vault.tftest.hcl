# The vault's lock and policy, and the mistakes that it refuses.
mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-west-2:123456789012:key/12345678-90ab-cdef-1234-567890abcdef" }
  }
}

variables {
  account_id         = "123456789012"
  region             = "us-west-2"
  administrator_arns = ["arn:aws:iam::123456789012:role/backup-administrators"]
}

run "governance_by_default" {
  command = plan

  assert {
    condition     = aws_backup_vault_lock_configuration.main.min_retention_days == 7 && aws_backup_vault_lock_configuration.main.max_retention_days == 400 && aws_backup_vault_lock_configuration.main.changeable_for_days == null
    error_message = "By default the vault must be locked in governance mode."
  }

  assert {
    condition = jsondecode(aws_backup_vault_policy.main.policy).Statement == jsondecode(jsonencode([{
      Sid       = "KeepUntilItExpires", Effect = "Deny", Principal = { AWS = "*" }, Resource = "*"
      Action    = ["backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle", "backup:PutBackupVaultAccessPolicy", "backup:DeleteBackupVaultAccessPolicy"]
      Condition = { ArnNotLike = { "aws:PrincipalArn" = ["arn:aws:iam::123456789012:role/backup-administrators"] } }
    }]))
    error_message = "No one but the administrators may delete a recovery point, and no other account may copy into the vault."
  }

  assert {
    condition     = jsondecode(aws_kms_key.vault.policy).Statement == jsondecode(jsonencode([{ Sid = "Account", Effect = "Allow", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Action = "kms:*", Resource = "*" }])) && aws_kms_key.vault.enable_key_rotation
    error_message = "Only this account may use the key, and the key must rotate."
  }
}

run "compliance_with_copies" {
  command = plan

  variables {
    changeable_for_days = 3
    copies_from         = ["210987654321"]
  }

  assert {
    condition = aws_backup_vault_lock_configuration.main.changeable_for_days == 3 && jsondecode(aws_backup_vault_policy.main.policy).Statement[1] == jsondecode(jsonencode({
      Sid = "CopiesFromOtherAccounts", Effect = "Allow", Principal = { AWS = ["arn:aws:iam::210987654321:root"] }, Action = ["backup:CopyIntoBackupVault"], Resource = "*"
    }))
    error_message = "The accounts named must be able to copy into the vault, and the lock must become final."
  }
}

run "lock_that_is_final_too_early" {
  command = plan

  variables {
    changeable_for_days = 1
  }

  expect_failures = [var.changeable_for_days]
}

run "longest_before_shortest" {
  command = plan

  variables {
    min_retention_days = 30
    max_retention_days = 10
  }

  expect_failures = [var.max_retention_days]
}

run "no_administrator" {
  command = plan

  variables {
    administrator_arns = []
  }

  expect_failures = [var.administrator_arns]
}

run "account_by_name" {
  command = plan

  variables {
    copies_from = ["osmt-production"]
  }

  expect_failures = [var.copies_from]
}

run "account_id_of_11_digits" {
  command = plan

  variables {
    account_id = "12345678901"
  }

  expect_failures = [var.account_id]
}

run "region_in_china" {
  command = plan

  variables {
    region = "cn-north-1"
  }

  expect_failures = [var.region]
}

run "name_with_spaces" {
  command = plan

  variables {
    name = "osmt backups"
  }

  expect_failures = [var.name]
}

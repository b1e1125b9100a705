output "vault_name" {
  description = "The vault's name, for operations.backup.vault_name of a stack in this account and Region."
  value       = aws_backup_vault.main.name
}

output "vault_arn" {
  description = "The vault's ARN, for operations.backup.copy_to of stacks in other accounts or Regions."
  value       = aws_backup_vault.main.arn
}

output "kms_key_arn" {
  description = "The KMS key of the recovery points."
  value       = aws_kms_key.vault.arn
}

output "vault_name" {
  description = "For operations.backup.vault_name of a stack in this account and Region."
  value       = aws_backup_vault.main.name
}

output "vault_arn" {
  description = "For operations.backup.copy_to of stacks elsewhere."
  value       = aws_backup_vault.main.arn
}

output "kms_key_arn" {
  description = "The key of the recovery points."
  value       = aws_kms_key.vault.arn
}

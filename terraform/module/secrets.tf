# The database's and the app's secrets are written by osmt-secrets; only their ARNs are read here. The composed DB_URI
# is written through a write-only argument: its value is in no state and no plan.
data "aws_secretsmanager_secret" "rds" {
  name = local.secret_names.rds
}

data "aws_secretsmanager_secret" "app" {
  name = local.secret_names.app
}

data "aws_secretsmanager_secret" "elasticsearch" {
  count = local.elasticsearch_authentication ? 1 : 0
  name  = local.secret_names.elasticsearch
}

data "aws_secretsmanager_secret" "extra" {
  count = length(var.config.app.extra_secrets) > 0 ? 1 : 0
  name  = local.secret_names.extra
}

resource "aws_secretsmanager_secret" "db_uri" {
  #checkov:skip=CKV2_AWS_57:composed from osmt/<env>/rds, and rotated with it by osmt-secrets rotate and terraform apply
  name        = local.secret_names.db_uri
  description = "DB_URI of ${local.name}, composed by Terraform from ${local.secret_names.rds}"
  kms_key_id  = aws_kms_key.main.arn
  # It can be composed again at any time, and a name waiting for deletion would block the next apply.
  recovery_window_in_days = 0

  tags = { Name = local.secret_names.db_uri }
}

# Depends on the database through its address, so on a rotation the database has the new password first.
resource "aws_secretsmanager_secret_version" "db_uri" {
  secret_id = aws_secretsmanager_secret.db_uri.id
  secret_string_wo = jsonencode({
    DB_URI = "${var.database_credentials.username}:${var.database_credentials.password}@${aws_db_instance.main.address}:${local.ports.mysql}"
  })
  secret_string_wo_version = var.config.secrets_revision

  lifecycle {
    # Terraform does not see the value, so a new database address must force a new version.
    replace_triggered_by = [aws_db_instance.main.address]
  }
}

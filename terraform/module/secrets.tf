# osmt-secrets writes the secrets of the database and the app; the module reads only their ARNs. DB_URI is written with a write-only
# argument, so its value is not in the state or a plan.
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
  #checkov:skip=CKV2_AWS_57:derived from osmt/<env>/rds, and rotated with it by osmt-secrets rotate and terraform apply
  name        = local.secret_names.db_uri
  description = "DB_URI of ${local.name}, composed by Terraform from ${local.secret_names.rds}"
  kms_key_id  = aws_kms_key.main.arn
  # It can be created again at any time, and a secret that is scheduled for deletion would block its name.
  recovery_window_in_days = 0

  tags = { Name = local.secret_names.db_uri }
}

# It depends on the database's address, so in a rotation the database gets the new password first.
resource "aws_secretsmanager_secret_version" "db_uri" {
  secret_id = aws_secretsmanager_secret.db_uri.id
  secret_string_wo = jsonencode({
    DB_URI = "${var.database_credentials.username}:${var.database_credentials.password}@${aws_db_instance.main.address}:${local.ports.mysql}"
  })
  secret_string_wo_version = var.config.secrets_revision

  lifecycle {
    # Terraform cannot compare write-only values, so a new address of the database must force a new version.
    replace_triggered_by = [aws_db_instance.main.address]
  }
}

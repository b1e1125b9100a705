# The only place where a secret's value passes through Terraform. An ephemeral value is read when it is needed and kept
# nowhere: the module hands it to write-only arguments alone.
ephemeral "aws_secretsmanager_secret_version" "rds" {
  secret_id = "osmt/${var.config.env}/rds"
}

locals {
  database_credentials = jsondecode(ephemeral.aws_secretsmanager_secret_version.rds.secret_string)
}

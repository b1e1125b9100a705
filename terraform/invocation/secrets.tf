# The only place where a secret's value passes through Terraform. An ephemeral value is read when it is needed and kept
# nowhere: the module hands it to write-only arguments alone.
ephemeral "aws_secretsmanager_secret_version" "rds" {
  secret_id = "osmt/${var.config.env}/rds"

  lifecycle {
    postcondition {
      condition     = try(alltrue([for key in ["username", "password"] : length(jsondecode(self.secret_string)[key]) > 0]), false)
      error_message = "The secret osmt/${var.config.env}/rds is not a JSON object with username and password. Write it with osmt-secrets push."
    }
  }
}

locals {
  database_credentials = jsondecode(ephemeral.aws_secretsmanager_secret_version.rds.secret_string)
}

# The only place where a secret's value passes through Terraform. An ephemeral value is read when it is needed and kept
# nowhere: the module hands it to write-only arguments alone.
ephemeral "aws_secretsmanager_secret_version" "rds" {
  secret_id = "osmt/${var.config.env}/rds"
}

locals {
  # A secret of another shape gives empty credentials, which the module refuses with a message. (A postcondition of the
  # ephemeral resource would be better, but Terraform 1.11 cannot write a plan with one as JSON.)
  database_credentials = try(
    {
      username = jsondecode(ephemeral.aws_secretsmanager_secret_version.rds.secret_string).username
      password = jsondecode(ephemeral.aws_secretsmanager_secret_version.rds.secret_string).password
    },
    { username = "", password = "" },
  )
}

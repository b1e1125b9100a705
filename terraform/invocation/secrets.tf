# Terraform reads a secret's value only here. The value is ephemeral: Terraform does not store it in the state or the plan. The module
# passes it only to write-only arguments.
ephemeral "aws_secretsmanager_secret_version" "rds" {
  secret_id = "osmt/${var.config.env}/rds"
}

locals {
  # If the secret has another format, the credentials are empty, and the module reports that. (A postcondition of the ephemeral
  # resource would be clearer, but Terraform 1.11 cannot show a plan with one as JSON.)
  database_credentials = try(
    {
      username = jsondecode(ephemeral.aws_secretsmanager_secret_version.rds.secret_string).username
      password = jsondecode(ephemeral.aws_secretsmanager_secret_version.rds.secret_string).password
    },
    { username = "", password = "" },
  )
}

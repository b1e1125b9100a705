# Settings that the app and the maintenance task share. osmt_lines.json contains the differences between OSMT's release lines; a test of
# the tools compares it with their table.
locals {
  osmt_lines = jsondecode(file("${path.module}/osmt_lines.json"))

  # The config's app.version, otherwise the image's tag if that is a version, otherwise 3.x.
  osmt_version = try(coalesce(var.config.app.version, try(regex("^v?([0-9]+(?:\\.[0-9]+)+(?:[-+].*)?)$", var.config.ecs.task.app.docker_tag)[0], "")), "3")
  osmt_major   = split(".", local.osmt_version)[0]
  osmt_line    = local.osmt_major == "1" ? "2" : local.osmt_major # 1.x is built in the same way
  osmt         = try(local.osmt_lines[local.osmt_line], local.osmt_lines["3"])

  # Both task definitions refuse a line that is not in the table.
  osmt_line_is_known = contains(keys(local.osmt_lines), local.osmt_line)

  # Settings that are stored in the database and the search index, so app and maintenance task must have the same values.
  published_settings = merge(
    {
      APP_BASEDOMAIN  = var.config.domain.name
      APP_FRONTENDURL = local.url
    },
    { for name, value in {
      APP_DEFAULTCREATORURI = var.config.app.settings.creator_uri
      APP_DEFAULTAUTHORNAME = var.config.app.settings.author_name
      APP_DEFAULTAUTHORURI  = var.config.app.settings.author_uri
    } : name => value if value != null },
  )

  # Settings for the connections to the other services.
  backing_services = merge(
    {
      DB_NAME           = var.config.rds.db_name
      REDIS_URI         = "${aws_elasticache_replication_group.main.primary_endpoint_address}:${local.ports.redis}"
      ELASTICSEARCH_URI = local.elasticsearch_url
      # By default the JVM uses a quarter of the task's memory.
      JAVA_TOOL_OPTIONS = "-XX:MaxRAMPercentage=70"
    },
    local.elasticsearch_authentication ? { ES_USERNAME = "elastic" } : {},
  )
  backing_secrets = merge(
    { DB_URI = "${aws_secretsmanager_secret.db_uri.arn}:DB_URI::" },
    local.elasticsearch_authentication ? { ES_PASSWORD = local.elasticsearch_password } : {},
  )

  # The functions and the script are one argument of bash.
  start_scripts = { for name in ["app", "maintenance"] : name => join("\n", [
    file("${path.module}/containers/wait.sh"), file("${path.module}/containers/${name}.sh"),
  ]) }

  # If the config and the module set the same name, one of the two values would be silently ignored.
  extra_names   = concat(keys(var.config.app.extra_environment), var.config.app.extra_secrets)
  extra_clashes = setintersection(local.extra_names, concat(keys(local.app_own_environment), keys(local.app_own_secrets), keys(local.maintenance_own_environment), keys(local.maintenance_own_secrets)))
  extra_secrets = { for name in var.config.app.extra_secrets : name => "${data.aws_secretsmanager_secret.extra[0].arn}:${name}::" }

  cpu_architecture = { for name, task in var.config.ecs.task : name => task.cpu_architecture }
}

# The one-off task that migrates the database, imports the two public lists of job codes and builds the search index. Its exit status
# shows whether all steps succeeded. `osmt-release migrate` runs it.
locals {
  maintenance_own_environment = merge(local.backing_services, local.published_settings, {
    # Flyway is on in every step, so the first step migrates.
    SPRING_FLYWAY_ENABLED = "true"
    OSMT_MIGRATE_PROFILES = local.osmt.migrate_profiles
    OSMT_REBUILDS_SEARCH  = tostring(local.osmt.rebuilds_search)
    },
    # OSMT's first migration fails if the database's default is utf8mb4 (error 1071); a later migration converts the tables to
    # utf8mb4. So the default of a database without tables is changed to utf8mb3.
    # (A procedure, because MySQL does not prepare ALTER DATABASE: error 1295.)
    local.osmt.database_character_set == "utf8mb4" ? {} : { for i, line in [
      "DROP PROCEDURE IF EXISTS ${var.config.rds.db_name}.osmt_character_set;",
      "DELIMITER //",
      "CREATE PROCEDURE ${var.config.rds.db_name}.osmt_character_set() IF (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '${var.config.rds.db_name}') = 0 THEN ALTER DATABASE ${var.config.rds.db_name} CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci; END IF//",
      "DELIMITER ;",
      "CALL ${var.config.rds.db_name}.osmt_character_set();",
      "DROP PROCEDURE ${var.config.rds.db_name}.osmt_character_set;",
    ] : "SPRING_FLYWAY_INITSQLS_${i}_" => line },
  )
  maintenance_environment = merge(var.config.app.extra_environment, local.maintenance_own_environment)

  maintenance_own_secrets = merge(local.backing_secrets, {
    DB_USER     = "${data.aws_secretsmanager_secret.rds.arn}:username::"
    DB_PASSWORD = "${data.aws_secretsmanager_secret.rds.arn}:password::"
  })
  maintenance_secrets = merge(local.extra_secrets, local.maintenance_own_secrets)

  maintenance_container = {
    name                   = local.containers.maintenance
    image                  = local.images.app
    essential              = true
    user                   = local.osmt_user
    memory                 = var.config.ecs.task.app.memory
    entryPoint             = ["/bin/bash", "-euc", local.start_scripts.maintenance, "maintenance"]
    command                = ["import", "reindex"]
    environment            = [for name, value in local.maintenance_environment : { name = name, value = value }]
    secrets                = [for name, from in local.maintenance_secrets : { name = name, valueFrom = from }]
    portMappings           = []
    mountPoints            = [local.scratch_mount]
    volumesFrom            = []
    systemControls         = []
    dependsOn              = [{ containerName = local.containers.scratch, condition = "SUCCESS" }]
    readonlyRootFilesystem = true
    linuxParameters        = local.linux_parameters
    logConfiguration       = local.log_configuration["maintenance"]
    stopTimeout            = local.stop_timeouts.maintenance
    dockerLabels           = { "osmt.secrets-revision" = tostring(var.config.secrets_revision) }
  }
}

resource "aws_ecs_task_definition" "maintenance" {
  family                   = local.services.maintenance
  cpu                      = var.config.ecs.task.app.cpu
  memory                   = var.config.ecs.task.app.memory
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.execution["maintenance"].arn
  task_role_arn            = aws_iam_role.task["maintenance"].arn
  container_definitions    = jsonencode([for container in [local.maintenance_container, local.scratch_container["maintenance"]] : merge(container, local.registry_login.app)])
  skip_destroy             = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = local.cpu_architecture.app
  }

  volume {
    name = local.containers.scratch
  }

  tags = { Name = local.services.maintenance }

  lifecycle {
    precondition {
      condition     = local.osmt_line_is_known
      error_message = "OSM001 This module does not know how to run OSMT ${local.osmt_version}: it knows ${join(", ", [for line in keys(local.osmt_lines) : "${line}.x"])}. Write the OSMT release that the image holds into app.version, or use a newer version of this module."
    }
  }
}

# The one-off task: migrates, imports the two public job-code lists, builds the search index, and ends with an exit that
# tells whether all of it worked. `osmt-release migrate` runs it; no service ever does any of this.
locals {
  # Java is called directly: OSMT's own entrypoint retries for ever and cannot build the profiles for these jobs.
  # Flyway is on in every step, so whatever is run first migrates. Values come from the environment, never from argv.
  maintenance_script = <<-SCRIPT
    osmt() { profiles="$1"; shift; /bin/java -Dspring.profiles.active="$profiles" -Dspring.flyway.enabled=true -jar /opt/osmt/bin/osmt.jar "$@"; }
    for step in "$@"; do
      echo "maintenance: $step"
      case "$step" in
        import)
          osmt review,import --csv=/opt/osmt/import/BLS-Import.csv --import-type=bls
          osmt review,import --csv=/opt/osmt/import/oNet-Import.csv --import-type=onet ;;
        reindex) osmt reindex,review ;;
        *) echo "maintenance: unknown step $step: import and reindex are known, both migrate first" >&2; exit 2 ;;
      esac
    done
    echo "maintenance: done"
  SCRIPT

  maintenance_environment = local.backing_services

  maintenance_secrets = {
    DB_URI      = local.db_uri_secret
    DB_USER     = "${data.aws_secretsmanager_secret.rds.arn}:username::"
    DB_PASSWORD = "${data.aws_secretsmanager_secret.rds.arn}:password::"
  }

  maintenance_container = {
    name                   = local.containers.maintenance
    image                  = local.images.app
    essential              = true
    user                   = local.osmt_user
    memory                 = var.config.ecs.task.app.memory
    entryPoint             = ["/bin/bash", "-euc", local.maintenance_script, "maintenance"]
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
    stopTimeout            = 120
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
  container_definitions    = jsonencode([local.maintenance_container, local.scratch_container["maintenance"]])
  skip_destroy             = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  volume {
    name = local.containers.scratch
  }

  tags = { Name = local.services.maintenance }
}

resource "aws_ecs_cluster" "main" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  configuration {
    execute_command_configuration {
      kms_key_id = aws_kms_key.main.arn
      logging    = "OVERRIDE"

      log_configuration {
        cloud_watch_encryption_enabled = true
        cloud_watch_log_group_name     = aws_cloudwatch_log_group.main["exec"].name
      }
    }
  }

  tags = { Name = local.name }

  # Otherwise Container Insights creates its log group, without encryption and expiry.
  depends_on = [aws_cloudwatch_log_group.main]
}

resource "aws_ecs_cluster_capacity_providers" "main" {
  count = var.operations.fargate_spot ? 1 : 0

  cluster_name       = aws_ecs_cluster.main.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

locals {
  # The same for every container: logs to its log group, no capabilities.
  log_configuration = { for name in ["app", "elasticsearch", "maintenance"] : name => {
    logDriver = "awslogs"
    options = { for key, value in {
      awslogs-group         = aws_cloudwatch_log_group.main[name].name
      awslogs-region        = local.region
      awslogs-stream-prefix = name
      # A server must not block if CloudWatch is slow; the log of a one-off task must be complete.
      mode            = name == "maintenance" ? "blocking" : "non-blocking"
      max-buffer-size = name == "maintenance" ? null : "25m"
    } : key => value if value != null }
  } }
  linux_parameters = { initProcessEnabled = true, capabilities = { add = [], drop = ["ALL"] } }

  # Merged into each container: the credentials for the registry of its image.
  registry_login = { for name in ["app", "elasticsearch"] : name => { for arn in compact([var.operations.registry_credentials[name]]) :
  "repositoryCredentials" => { credentialsParameter = arn } } }

  # OSMT runs as the user of the image, with a read-only root file system; only /tmp is writable. ECS mounts an empty volume there that
  # is owned by root, so a container that runs before makes it writable for all users.
  # (ECS Exec needs a writable root file system, so it is writable with operations.ecs_exec.)
  osmt_user     = "osmt"
  read_only     = !var.operations.ecs_exec
  scratch_mount = { sourceVolume = local.containers.scratch, containerPath = "/tmp", readOnly = false }
  scratch_container = { for name in ["app", "maintenance"] : name => {
    name                   = local.containers.scratch
    image                  = local.images.app
    essential              = false
    user                   = "0"
    entryPoint             = ["/bin/chmod", "1777", "/tmp"]
    command                = []
    environment            = []
    secrets                = []
    portMappings           = []
    mountPoints            = [local.scratch_mount]
    volumesFrom            = []
    systemControls         = []
    readonlyRootFilesystem = true
    linuxParameters        = local.linux_parameters
    logConfiguration       = local.log_configuration[name]
  } }

  # Seconds between the stop signal and the kill signal; at most 120 on Fargate.
  stop_timeouts = { app = 60, elasticsearch = 120, maintenance = 120 }
}

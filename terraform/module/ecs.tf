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

  # Container Insights would create its log group itself, without encryption and without expiry.
  depends_on = [aws_cloudwatch_log_group.main]
}

resource "aws_ecs_cluster_capacity_providers" "main" {
  count = var.operations.fargate_spot ? 1 : 0

  cluster_name       = aws_ecs_cluster.main.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

locals {
  # The same for every container: a log group, and no new privileges.
  log_configuration = { for name in ["app", "elasticsearch", "maintenance"] : name => {
    logDriver = "awslogs"
    options = { for key, value in {
      awslogs-group         = aws_cloudwatch_log_group.main[name].name
      awslogs-region        = local.region
      awslogs-stream-prefix = name
      # A server must not stop because CloudWatch is slow; the log of a one-off task must be whole.
      mode            = name == "maintenance" ? "blocking" : "non-blocking"
      max-buffer-size = name == "maintenance" ? null : "25m"
    } : key => value if value != null }
  } }
  linux_parameters = { initProcessEnabled = true, capabilities = { add = [], drop = ["ALL"] } }

  # Merged into each container: how to log in to the registry of its image.
  registry_login = { for name in ["app", "elasticsearch"] : name => { for arn in compact([var.operations.registry_credentials[name]]) :
  "repositoryCredentials" => { credentialsParameter = arn } } }

  # OSMT runs as the image's own user on a read-only root; only /tmp can be written. ECS mounts an empty volume there that
  # belongs to root, so a first container of the same image makes it writable for all users and ends.
  # (ECS Exec writes into the root file system: with operations.ecs_exec it is writable.)
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

  # How long a container gets to end by itself, in seconds; ECS takes 120 at most on Fargate.
  stop_timeouts = { app = 60, elasticsearch = 120, maintenance = 120 }
}

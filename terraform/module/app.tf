# The app. It neither migrates nor imports nor reindexes: maintenance.tf does, once, when told to.
locals {
  # The names are those that OSMT's docker_entrypoint.sh reads (and DB_NAME, which Spring reads); tests/containers.tftest.hcl
  # holds the list.
  app_environment = merge(local.backing_services, {
    ENVIRONMENT           = "apiserver,oauth2-okta"
    BASE_DOMAIN           = var.config.domain.name
    FRONTEND_URL          = local.url
    OAUTH_ISSUER          = var.config.app.oauth.issuer
    OAUTH_CLIENTID        = var.config.app.oauth.client_id
    OAUTH_AUDIENCE        = var.config.app.oauth.audience
    MIGRATIONS_ENABLED    = "false"
    REINDEX_ELASTICSEARCH = "false"
    SKIP_METADATA_IMPORT  = "true"
    # At every start OSMT would fill an empty audit log, every replica at once, and end if its table is not there yet: an
    # empty database could then never be deployed to. Off, the app starts before the first migration and serves after it.
    JAVA_TOOL_OPTIONS = "${local.jvm_memory} -Dapp.baseLineAuditLogIfEmpty=false"
  })

  app_secrets = {
    DB_URI             = local.db_uri_secret
    OAUTH_CLIENTSECRET = "${data.aws_secretsmanager_secret.app.arn}:oauth_client_secret::"
  }

  app_container = {
    name                   = local.containers.app
    image                  = local.images.app
    essential              = true
    user                   = local.osmt_user
    memory                 = var.config.ecs.task.app.memory
    environment            = [for name, value in local.app_environment : { name = name, value = value }]
    secrets                = [for name, from in local.app_secrets : { name = name, valueFrom = from }]
    portMappings           = [{ containerPort = local.ports.app, hostPort = local.ports.app, protocol = "tcp" }]
    mountPoints            = [local.scratch_mount]
    volumesFrom            = []
    systemControls         = []
    dependsOn              = [{ containerName = local.containers.scratch, condition = "SUCCESS" }]
    readonlyRootFilesystem = local.read_only
    linuxParameters        = local.linux_parameters
    logConfiguration       = local.log_configuration["app"]
    stopTimeout            = 60
    # ECS reads secrets when a task starts. A new revision of the secrets must therefore be a new revision of the task.
    dockerLabels = { "osmt.secrets-revision" = tostring(var.config.secrets_revision) }
  }
}

resource "aws_ecs_task_definition" "app" {
  family                   = local.services.app
  cpu                      = var.config.ecs.task.app.cpu
  memory                   = var.config.ecs.task.app.memory
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.execution["app"].arn
  task_role_arn            = aws_iam_role.task["app"].arn
  container_definitions    = jsonencode([local.app_container, local.scratch_container["app"]])
  # An old revision stays registered: ECS rolls back to it, and so can osmt-release.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  volume {
    name = local.containers.scratch
  }

  tags = { Name = local.services.app }
}

resource "aws_ecs_service" "app" {
  name            = local.services.app
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.app.arn
  desired_count   = var.config.ecs.task.app.desired_count

  launch_type                   = "FARGATE"
  platform_version              = "LATEST"
  availability_zone_rebalancing = "ENABLED"
  propagate_tags                = "SERVICE"
  enable_ecs_managed_tags       = true
  enable_execute_command        = var.operations.ecs_exec

  # Spring, on two virtual CPUs, is up within two minutes; ten leave room for a cold image pull and a busy database.
  health_check_grace_period_seconds  = 600
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  # apply ends when the new tasks serve, not when they were asked for.
  wait_for_steady_state = true

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = local.private_subnet_ids
    security_groups  = [aws_security_group.app.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.app.arn
    container_name   = local.containers.app
    container_port   = local.ports.app
  }

  tags = { Name = local.services.app }

  # A task can start only when all it needs is there. The secret comes after the database (its address is inside), so on a
  # rotation the order is: password in the database, composed secret, new tasks.
  depends_on = [
    aws_lb_listener.https,
    aws_ecs_service.elasticsearch,
    aws_secretsmanager_secret_version.db_uri,
    aws_iam_role_policy.execution,
    aws_iam_role_policy.exec,
    aws_route.private_nat,
    aws_route_table_association.private,
    aws_vpc_endpoint.interface,
    aws_vpc_security_group_ingress_rule.connection,
    aws_vpc_security_group_egress_rule.connection,
    aws_vpc_security_group_egress_rule.internet,
  ]

  lifecycle {
    # Autoscaling owns the number of tasks; a change in the config reaches it through autoscaling's minimum.
    ignore_changes = [desired_count]

    # ECS rolls a failed deployment back, and is then as steady as before: without this, apply would succeed.
    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.app.arn
      error_message = "The app does not run the revision asked for: the deployment failed and was rolled back. The log groups ${local.log_groups.app} and ${local.log_groups.events} say why."
    }
  }

  timeouts {
    create = "45m"
    update = "45m"
    delete = "30m"
  }
}

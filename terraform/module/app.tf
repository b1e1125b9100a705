# The app. The maintenance task (maintenance.tf) migrates, imports and reindexes, not the app.
locals {
  # Spring reads its settings from the environment; tests/containers.tftest.hcl contains the list.
  app_own_environment = merge(local.backing_services, local.published_settings, local.osmt.environment, {
    SPRING_PROFILES_ACTIVE = local.osmt.profiles
    SPRING_FLYWAY_ENABLED  = "false"
    OAUTH_ISSUER           = var.config.app.oauth.issuer
    OAUTH_CLIENTID         = var.config.app.oauth.client_id
    OAUTH_AUDIENCE         = var.config.app.oauth.audience
    # With true each task writes to an empty audit log at start, and exits if the table does not exist: the service could not be
    # deployed before the first migration.
    APP_BASELINEAUDITLOGIFEMPTY = "false"
    # Without it /health connects to Elasticsearch at localhost and always returns 503.
    SPRING_ELASTICSEARCH_URIS = local.elasticsearch_url
    # Longer than the load balancer's idle timeout, so that the app does not close connections that the load balancer still uses.
    SERVER_TOMCAT_KEEPALIVETIMEOUT = "${var.operations.idle_timeout + 10}s"
    # After the stop signal Spring completes the running requests; the container's stopTimeout is longer than that.
    SERVER_SHUTDOWN                          = "graceful"
    SPRING_LIFECYCLE_TIMEOUTPERSHUTDOWNPHASE = "${local.stop_timeouts.app - 20}s"
    # Trust X-Forwarded-Proto in requests from the VPC's block.
    SERVER_TOMCAT_REMOTEIP_INTERNALPROXIES = "${join("\\.", slice(split(".", var.config.vpc.vpc_cidr), 0, 2))}\\.\\d{1,3}\\.\\d{1,3}"
    # The dashboard of the job queue requires no password and can delete jobs.
    RQUEUE_WEB_ENABLE = "false"
    },
    var.config.app.settings.white_label == null ? {} : { WHITELABEL_PATH = var.config.app.settings.white_label },
    local.elasticsearch_authentication ? { SPRING_ELASTICSEARCH_USERNAME = "elastic" } : {},
  )
  app_environment = merge(var.config.app.extra_environment, local.app_own_environment)

  app_own_secrets = merge(
    local.backing_secrets,
    { OAUTH_CLIENTSECRET = "${data.aws_secretsmanager_secret.app.arn}:oauth_client_secret::" },
    local.osmt.session_token_secret ? { APP_SESSION_TOKEN_SECRET = "${data.aws_secretsmanager_secret.app.arn}:session_token_secret::" } : {},
    local.elasticsearch_authentication ? { SPRING_ELASTICSEARCH_PASSWORD = local.elasticsearch_password } : {},
  )
  app_secrets = merge(local.extra_secrets, local.app_own_secrets)

  app_container = {
    name                   = local.containers.app
    image                  = local.images.app
    essential              = true
    user                   = local.osmt_user
    memory                 = var.config.ecs.task.app.memory
    entryPoint             = ["/bin/bash", "-euc", local.start_scripts.app, "app"]
    command                = []
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
    stopTimeout            = local.stop_timeouts.app
    # ECS replaces a task whose Java process hangs. The check requests the front page, as the load balancer does. Waiting for the
    # other services and the start may take five minutes each: startPeriod (at most 300) and ten failures.
    healthCheck = {
      command = ["CMD", "/bin/bash", "-c", join("; ", [
        "exec 3<>/dev/tcp/127.0.0.1/${local.ports.app} || exit 1",
        "printf 'GET / HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3",
        "read -r -t 8 _ status _ <&3 && [ \"$status\" = 200 ]",
      ])]
      interval    = 30
      timeout     = 10
      retries     = 10
      startPeriod = 300
    }
    # ECS reads secrets only when a task starts, so a new revision of the secrets must create a new task definition revision.
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
  container_definitions    = jsonencode([for container in [local.app_container, local.scratch_container["app"]] : merge(container, local.registry_login.app)])
  # Old revisions are kept, because ECS and osmt-release can roll back to them.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = local.cpu_architecture.app
  }

  volume {
    name = local.containers.scratch
  }

  tags = { Name = local.services.app }

  lifecycle {
    precondition {
      condition     = local.osmt_line_is_known
      error_message = "OSM001 This module does not know how to run OSMT ${local.osmt_version}: it knows ${join(", ", [for line in keys(local.osmt_lines) : "${line}.x"])}. Write the OSMT release that the image holds into app.version, or use a newer version of this module."
    }
    precondition {
      condition     = length(local.extra_clashes) == 0
      error_message = "app.extra_environment and app.extra_secrets must not contain variables that the module sets: ${join(", ", local.extra_clashes)}."
    }
  }
}

resource "aws_ecs_service" "app" {
  name            = local.services.app
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.app.arn
  desired_count   = var.config.ecs.task.app.desired_count

  # Turning Spot on or off replaces the service: the app is not available until the new service is running.
  launch_type                   = var.operations.fargate_spot ? null : "FARGATE"
  platform_version              = "LATEST"
  availability_zone_rebalancing = "ENABLED"
  propagate_tags                = "SERVICE"
  enable_ecs_managed_tags       = true
  enable_execute_command        = var.operations.ecs_exec

  # On two virtual CPUs Spring started in 40 to 115 seconds. Ten minutes also allow for a slow image pull and a busy database.
  health_check_grace_period_seconds  = 600
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  # Apply waits until there is one deployment and desired_count tasks are running (provider 5: internal/service/ecs/service.go). In an
  # update the old deployment ends only when the new tasks are healthy. In the first deployment the tasks may not be healthy yet;
  # `osmt-release status` shows whether they are.
  wait_for_steady_state = true

  dynamic "capacity_provider_strategy" {
    for_each = var.operations.fargate_spot ? { FARGATE = { base = 1, weight = 0 }, FARGATE_SPOT = { base = 0, weight = 1 } } : {}
    content {
      capacity_provider = capacity_provider_strategy.key
      base              = capacity_provider_strategy.value.base
      weight            = capacity_provider_strategy.value.weight
    }
  }

  deployment_circuit_breaker {
    enable   = var.operations.circuit_breaker.enable
    rollback = var.operations.circuit_breaker.rollback
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

  # The resources that a task needs at start. The secret depends on the database, whose address it contains, so the order of a
  # rotation is: password of the database, secret with DB_URI, new tasks.
  depends_on = [
    aws_lb_listener.https,
    aws_ecs_cluster_capacity_providers.main,
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
    # Autoscaling sets the number of tasks. desired_count of the config is its minimum.
    ignore_changes = [desired_count]

    # After a rollback the service is stable again, so without this condition apply would succeed.
    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.app.arn
      error_message = "The app does not run the planned task definition revision: the deployment failed and was rolled back. The log groups ${local.log_groups.app} and ${local.log_groups.events} contain the reason."
    }
  }

  timeouts {
    create = "45m"
    update = "45m"
    delete = "30m"
  }
}

# Elasticsearch as OSMT wants it: one node, no authentication, reached by name. Its index lies on a file system and survives
# the task; should it be lost, the maintenance task builds it again from the database.
# Cloud Map, not Service Connect: a one-off task (the maintenance) has no Service Connect proxy, but it has DNS.
locals {
  elasticsearch_host = "${aws_service_discovery_service.elasticsearch.name}.${aws_service_discovery_private_dns_namespace.main.name}"

  elasticsearch_environment = {
    "cluster.name"           = local.name
    "discovery.type"         = "single-node"
    "xpack.security.enabled" = "false"
    "xpack.ml.enabled"       = "false"
    # vm.max_map_count cannot be raised on Fargate.
    "node.store.allow_mmap"           = "false"
    "ingest.geoip.downloader.enabled" = "false"
    # Half for the heap, half for the file cache; beyond 31 GiB pointers lose their compression.
    "ES_JAVA_OPTS" = format("-Xms%[1]dm -Xmx%[1]dm", min(floor(var.config.ecs.task.elasticsearch.memory / 2), 31744))
  }

  elasticsearch_container = {
    name           = local.containers.elasticsearch
    image          = local.images.elasticsearch
    essential      = true
    user           = "1000:0"
    memory         = var.config.ecs.task.elasticsearch.memory
    environment    = [for name, value in local.elasticsearch_environment : { name = name, value = value }]
    secrets        = []
    portMappings   = [{ containerPort = local.ports.elasticsearch, hostPort = local.ports.elasticsearch, protocol = "tcp" }]
    mountPoints    = [{ sourceVolume = "data", containerPath = "/usr/share/elasticsearch/data", readOnly = false }]
    volumesFrom    = []
    systemControls = []
    # Elasticsearch writes its keystore and its logs beside its programs when it starts.
    readonlyRootFilesystem = false
    linuxParameters        = local.linux_parameters
    ulimits                = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    logConfiguration       = local.log_configuration["elasticsearch"]
    stopTimeout            = 120
    healthCheck = {
      command     = ["CMD-SHELL", "curl --fail --silent --show-error http://127.0.0.1:${local.ports.elasticsearch}/ || exit 1"]
      interval    = 15
      timeout     = 10
      retries     = 4
      startPeriod = 240
    }
  }
}

resource "aws_service_discovery_private_dns_namespace" "main" {
  name        = "${local.name}.internal"
  description = "Names inside ${local.name}"
  vpc         = aws_vpc.main.id

  tags = { Name = local.name }
}

resource "aws_service_discovery_service" "elasticsearch" {
  name          = local.containers.elasticsearch
  description   = "Elasticsearch of ${local.name}"
  force_destroy = true

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.main.id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  health_check_custom_config {
    failure_threshold = 1
  }

  tags = { Name = local.services.elasticsearch }
}

resource "aws_ecs_task_definition" "elasticsearch" {
  #checkov:skip=CKV_AWS_336:Elasticsearch writes its keystore and logs beside its programs at start; nothing else can be written, and no capability is left
  family                   = local.services.elasticsearch
  cpu                      = var.config.ecs.task.elasticsearch.cpu
  memory                   = var.config.ecs.task.elasticsearch.memory
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.execution["elasticsearch"].arn
  task_role_arn            = aws_iam_role.task["elasticsearch"].arn
  container_definitions    = jsonencode([local.elasticsearch_container])
  skip_destroy             = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  volume {
    name = "data"

    efs_volume_configuration {
      file_system_id     = aws_efs_file_system.elasticsearch.id
      transit_encryption = "ENABLED"

      authorization_config {
        access_point_id = aws_efs_access_point.elasticsearch.id
        iam             = "ENABLED"
      }
    }
  }

  tags = { Name = local.services.elasticsearch }
}

resource "aws_ecs_service" "elasticsearch" {
  name            = local.services.elasticsearch
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.elasticsearch.arn
  desired_count   = var.config.ecs.task.elasticsearch.desired_count

  launch_type                   = "FARGATE"
  platform_version              = "LATEST"
  availability_zone_rebalancing = "DISABLED"
  propagate_tags                = "SERVICE"
  enable_ecs_managed_tags       = true
  enable_execute_command        = var.operations.ecs_exec

  # Never two nodes on one index: the old one stops before the new one starts.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  wait_for_steady_state              = true

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = local.private_subnet_ids
    security_groups  = [aws_security_group.elasticsearch.id]
    assign_public_ip = false
  }

  service_registries {
    registry_arn = aws_service_discovery_service.elasticsearch.arn
  }

  tags = { Name = local.services.elasticsearch }

  depends_on = [
    aws_efs_mount_target.elasticsearch,
    aws_efs_file_system_policy.elasticsearch,
    aws_iam_role_policy.execution,
    aws_iam_role_policy.elasticsearch_files,
    aws_iam_role_policy.exec,
    aws_route.private_nat,
    aws_route_table_association.private,
    aws_vpc_endpoint.interface,
    aws_vpc_security_group_ingress_rule.connection,
    aws_vpc_security_group_egress_rule.connection,
    aws_vpc_security_group_egress_rule.internet,
  ]

  lifecycle {
    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.elasticsearch.arn
      error_message = "Elasticsearch does not run the revision asked for: the deployment failed and was rolled back. The log groups ${local.log_groups.elasticsearch} and ${local.log_groups.events} say why."
    }
  }

  timeouts {
    create = "30m"
    update = "30m"
    delete = "30m"
  }
}

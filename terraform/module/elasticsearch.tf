# Elasticsearch with one node. Its index is on EFS; if it is lost, the maintenance task builds it again from the database.
# Tasks find it with Cloud Map and not with Service Connect, which one-off tasks such as the maintenance task do not have.
locals {
  elasticsearch_host = "${aws_service_discovery_service.elasticsearch.name}.${aws_service_discovery_private_dns_namespace.main.name}"

  elasticsearch_url = "http://${local.elasticsearch_host}:${local.ports.elasticsearch}"

  elasticsearch_authentication = var.config.ecs.task.elasticsearch.authentication
  elasticsearch_password       = one([for secret in data.aws_secretsmanager_secret.elasticsearch : "${secret.arn}:password::"])

  # The image's major version; unknown for a digest.
  elasticsearch_major = try(regex("^v?([0-9]+)\\.", var.config.ecs.task.elasticsearch.docker_tag)[0], "any")

  elasticsearch_environment = merge({
    "cluster.name"           = local.name
    "discovery.type"         = "single-node"
    "xpack.security.enabled" = tostring(local.elasticsearch_authentication)
    "xpack.ml.enabled"       = "false"
    # OSMT creates its four indices with their mappings. Without this setting Elasticsearch would create a missing index with dynamic
    # mappings when a document is saved, and every search would fail.
    "action.auto_create_index" = "-richskill_v1,-collection_v1,-jobcode_v1,-keyword,+*"
    # vm.max_map_count cannot be changed on Fargate.
    "node.store.allow_mmap"           = "false"
    "ingest.geoip.downloader.enabled" = "false"
    # Half of the memory for the heap, half for the file cache. Above 31 GiB Java does not compress pointers.
    "ES_JAVA_OPTS" = format("-Xms%[1]dm -Xmx%[1]dm", min(floor(var.config.ecs.task.elasticsearch.memory / 2), 31744))
    },
    # OSMT uses HTTP without TLS; the security groups allow only OSMT's tasks.
    local.elasticsearch_authentication ? {
      "xpack.security.enrollment.enabled"    = "false"
      "xpack.security.http.ssl.enabled"      = "false"
      "xpack.security.transport.ssl.enabled" = "false"
    } : {},
  )
  # The image writes it to its keystore when a task starts.
  elasticsearch_secrets = local.elasticsearch_authentication ? { ELASTIC_PASSWORD = local.elasticsearch_password } : {}

  elasticsearch_container = {
    name           = local.containers.elasticsearch
    image          = local.images.elasticsearch
    essential      = true
    user           = "1000:0"
    memory         = var.config.ecs.task.elasticsearch.memory
    environment    = [for name, value in local.elasticsearch_environment : { name = name, value = value }]
    secrets        = [for name, from in local.elasticsearch_secrets : { name = name, valueFrom = from }]
    portMappings   = [{ containerPort = local.ports.elasticsearch, hostPort = local.ports.elasticsearch, protocol = "tcp" }]
    mountPoints    = [{ sourceVolume = "data", containerPath = "/usr/share/elasticsearch/data", readOnly = false }]
    volumesFrom    = []
    systemControls = []
    # Elasticsearch writes its keystore and its logs into its program folder.
    readonlyRootFilesystem = false
    linuxParameters        = local.linux_parameters
    ulimits                = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    logConfiguration       = local.log_configuration["elasticsearch"]
    dockerLabels           = local.elasticsearch_authentication ? { "osmt.secrets-revision" = tostring(var.config.secrets_revision) } : {}
    stopTimeout            = local.stop_timeouts.elasticsearch
    healthCheck = {
      # 401 is accepted, because the check does not send a password, which would be on a command line.
      command     = ["CMD-SHELL", "curl --silent --output /dev/null --write-out '%%{http_code}' http://127.0.0.1:${local.ports.elasticsearch}/ | grep --quiet --extended-regexp '^(200|401)$'"]
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
  vpc         = local.vpc_id

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
  #checkov:skip=CKV_AWS_336:Elasticsearch writes its keystore and logs into its program folder; the container has no capabilities
  family                   = local.services.elasticsearch
  cpu                      = var.config.ecs.task.elasticsearch.cpu
  memory                   = var.config.ecs.task.elasticsearch.memory
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.execution["elasticsearch"].arn
  task_role_arn            = aws_iam_role.task["elasticsearch"].arn
  container_definitions    = jsonencode([merge(local.elasticsearch_container, local.registry_login.elasticsearch)])
  skip_destroy             = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = local.cpu_architecture.elasticsearch
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

  # The old task stops before the new one starts, because two nodes must not use the same index.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  wait_for_steady_state              = true

  deployment_circuit_breaker {
    enable   = var.operations.circuit_breaker.enable
    rollback = var.operations.circuit_breaker.rollback
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
    terraform_data.mount_targets_reachable,
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
    # operations.schedule changes it between 0 and 1.
    ignore_changes = [desired_count]

    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.elasticsearch.arn
      error_message = "Elasticsearch does not run the planned task definition revision: the deployment failed and was rolled back. The log groups ${local.log_groups.elasticsearch} and ${local.log_groups.events} contain the reason."
    }
  }

  timeouts {
    create = "30m"
    update = "30m"
    delete = "30m"
  }
}

# The default stack: ports agree, nothing but the load balancer is public, every zone is used, protection is on.
mock_provider "aws" {
  source = "./tests/mocks"
}

run "ports_agree" {
  command = plan

  assert {
    condition = toset([
      8080,
      aws_lb_target_group.app.port,
      one(aws_ecs_service.app.load_balancer).container_port,
      jsondecode(aws_ecs_task_definition.app.container_definitions)[0].portMappings[0].containerPort,
      aws_vpc_security_group_ingress_rule.connection["alb-app"].from_port,
      aws_vpc_security_group_egress_rule.connection["alb-app"].to_port,
    ]) == toset([8080])
    error_message = "Target group, service, container and security groups must all say 8080, where OSMT listens."
  }

  assert {
    condition     = one(aws_ecs_service.app.load_balancer).container_name == jsondecode(aws_ecs_task_definition.app.container_definitions)[0].name
    error_message = "The load balancer must refer to an existing container."
  }

  assert {
    condition = alltrue([
      aws_vpc_security_group_ingress_rule.connection["app-rds"].from_port == aws_db_instance.main.port,
      aws_vpc_security_group_ingress_rule.connection["app-elasticache"].from_port == aws_elasticache_replication_group.main.port,
      aws_vpc_security_group_ingress_rule.connection["app-elasticsearch"].from_port == jsondecode(aws_ecs_task_definition.elasticsearch.container_definitions)[0].portMappings[0].containerPort,
    ])
    error_message = "Each security group must open the port on which its service listens."
  }
}

run "only_the_load_balancer_is_public" {
  command = plan

  assert {
    condition = toset([for rule in aws_vpc_security_group_ingress_rule.public : "${rule.from_port} ${coalesce(rule.cidr_ipv4, rule.cidr_ipv6)}"]) == toset([
      "80 0.0.0.0/0", "443 0.0.0.0/0", "80 ::/0", "443 ::/0",
    ])
    error_message = "By default the load balancer admits only IPv4 and IPv6 on ports 80 and 443."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.connection : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null])
    error_message = "Inside the VPC every rule must name a group, not addresses."
  }

  assert {
    condition = alltrue([
      !aws_db_instance.main.publicly_accessible,
      !one(aws_ecs_service.app.network_configuration).assign_public_ip,
      !one(aws_ecs_service.elasticsearch.network_configuration).assign_public_ip,
      alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch]),
    ])
    error_message = "No task and no database may have a public address."
  }

  assert {
    condition     = length(aws_default_security_group.closed[0].ingress) == 0 && length(aws_default_security_group.closed[0].egress) == 0
    error_message = "The VPC's default security group must have no rules."
  }
}

run "edge" {
  command = plan

  assert {
    condition     = one(one(aws_lb_listener.http.default_action).redirect).protocol == "HTTPS" && aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    error_message = "HTTP must be redirected, and HTTPS must refuse TLS before 1.2."
  }

  assert {
    condition     = one(aws_lb_target_group.app.health_check).path == "/" && aws_ecs_service.app.health_check_grace_period_seconds == 600
    error_message = "The health check must not count Elasticsearch, and must leave time for a slow start."
  }

  assert {
    condition     = keys(aws_route53_record.app) == ["A", "AAAA"] && aws_lb.main.ip_address_type == "dualstack"
    error_message = "Open to the Internet, OSMT must be reachable over IPv4 and IPv6."
  }

  assert {
    condition     = aws_lb.main.drop_invalid_header_fields && length(aws_s3_bucket.access_logs) == 1
    error_message = "Invalid headers must be dropped, and access logged."
  }
}

run "a_zone_keeps_its_ipv6_block" {
  command = plan

  variables {
    config = merge(var.config, { vpc = {
      vpc_cidr = "10.20.0.0/16"
      azs      = ["us-west-2c", "us-west-2a"]
      subnets  = { private = ["10.20.0.0/20", "10.20.16.0/20"], public = ["10.20.48.0/24", "10.20.49.0/24"] }
    } })
  }

  assert {
    condition     = aws_subnet.public["us-west-2a"].ipv6_cidr_block == "2001:db8:1200::/64" && aws_subnet.public["us-west-2c"].ipv6_cidr_block == "2001:db8:1200:2::/64"
    error_message = "A zone's IPv6 block must not depend on the order of the zones."
  }
}

run "a_zone_between_two_others_leaves_their_ipv6_blocks" {
  command = plan

  variables {
    config = merge(var.config, { vpc = {
      vpc_cidr = "10.20.0.0/16"
      azs      = ["us-west-2a", "us-west-2b", "us-west-2c"]
      subnets  = { private = ["10.20.16.0/20", "10.20.32.0/20", "10.20.0.0/20"], public = ["10.20.49.0/24", "10.20.50.0/24", "10.20.48.0/24"] }
    } })
  }

  assert {
    condition     = { for zone, subnet in aws_subnet.public : zone => subnet.ipv6_cidr_block } == { us-west-2a = "2001:db8:1200::/64", us-west-2b = "2001:db8:1200:1::/64", us-west-2c = "2001:db8:1200:2::/64" }
    error_message = "A new zone must get the block of its letter; the others must keep theirs."
  }
}

run "private_registry" {
  command = plan

  variables {
    config = merge(var.config, { ecs = { task = merge(var.config.ecs.task, { elasticsearch = merge(var.config.ecs.task.elasticsearch, { docker_image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/elastic/elasticsearch/elasticsearch" }) }) } })
    operations = {
      ecr_pull_through_cache = true
      registry_credentials   = { app = "arn:aws:secretsmanager:us-west-2:123456789012:secret:docker-hub-AbCdEf" }
    }
  }

  assert {
    condition = alltrue([for container in concat(jsondecode(aws_ecs_task_definition.app.container_definitions), jsondecode(aws_ecs_task_definition.maintenance.container_definitions)) :
    container.repositoryCredentials.credentialsParameter == "arn:aws:secretsmanager:us-west-2:123456789012:secret:docker-hub-AbCdEf"])
    error_message = "Every container of OSMT's image must log in to its registry."
  }
}

run "logs_of_a_server_never_block_it" {
  command = plan

  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.app.container_definitions)[0].logConfiguration.options["mode"] == "non-blocking" &&
      jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].logConfiguration.options["mode"] == "blocking"
    )
    error_message = "Servers must not block while CloudWatch is slow; a one-off task's log must be complete."
  }
}

run "job_queue" {
  command = plan

  assert {
    condition = (
      toset(one(one(aws_lb_listener_rule.no_job_queue.condition).path_pattern).values) == toset(["/rqueue", "/rqueue/*"]) &&
      one(one(aws_lb_listener_rule.no_job_queue.action).fixed_response).status_code == "404"
    )
    error_message = "The job queue's dashboard must not be reachable."
  }
}

run "minor_versions" {
  command = plan

  assert {
    condition     = aws_db_instance.main.engine_version == "8.4" && aws_db_instance.main.auto_minor_version_upgrade && !aws_db_instance.main.allow_major_version_upgrade
    error_message = "With two numbers RDS must install minor versions, and only those."
  }
}

run "pinned_minor_version" {
  command = plan

  variables {
    config = merge(var.config, { rds = merge(var.config.rds, { engine_version = "8.0.46-rds.20260624", parameter_group_family = "mysql8.0" }) })
    operations = {
      allow_major_version_upgrade = true, blue_green_update = true, engine_lifecycle_support = "open-source-rds-extended-support-disabled"
      database_character_set      = "default"
    }
  }

  assert {
    condition     = !aws_db_instance.main.auto_minor_version_upgrade && aws_db_instance.main.allow_major_version_upgrade
    error_message = "With a full version RDS must not install minor versions."
  }

  assert {
    condition     = one(aws_db_instance.main.blue_green_update).enabled && aws_db_instance.main.engine_lifecycle_support == "open-source-rds-extended-support-disabled"
    error_message = "Blue/green update and life cycle support must be as configured."
  }

  assert {
    condition     = length([for parameter in aws_db_parameter_group.main.parameter : parameter if strcontains(parameter.name, "character_set")]) == 0
    error_message = "With \"default\" the module must not set the character set."
  }
}

run "second_region" {
  command = plan

  variables {
    operations = { region_in_names = true, monthly_budget_usd = 100 }
  }

  assert {
    condition = alltrue([for name in concat(
      [for role in aws_iam_role.execution : role.name], [for role in aws_iam_role.task : role.name],
      [aws_iam_role.rds_monitoring.name, aws_iam_role.flow_log.name, aws_budgets_budget.monthly[0].name],
    ) : startswith(name, "osmt-test-us-west-2")])
    error_message = "The names of global resources must contain the Region."
  }
}

run "protection_is_on_by_default" {
  command = plan

  assert {
    condition = alltrue([
      aws_db_instance.main.deletion_protection, !aws_db_instance.main.skip_final_snapshot, aws_lb.main.enable_deletion_protection,
      terraform_data.protection.input.protected, !aws_s3_bucket.access_logs[0].force_destroy, aws_db_instance.main.backup_retention_period == 7,
    ])
    error_message = "By default the stack must be protected and backed up."
  }

  assert {
    condition = alltrue([
      aws_db_instance.main.storage_encrypted, aws_elasticache_replication_group.main.at_rest_encryption_enabled, aws_efs_file_system.elasticsearch.encrypted,
    ])
    error_message = "All resources with data must be encrypted."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.main : group.retention_in_days == 30])
    error_message = "Every log group must have a retention."
  }

  assert {
    condition = alltrue([for service in [aws_ecs_service.app, aws_ecs_service.elasticsearch] :
    one(service.deployment_circuit_breaker).enable && one(service.deployment_circuit_breaker).rollback && service.wait_for_steady_state])
    error_message = "A failed deployment must be rolled back and reported."
  }

  assert {
    condition     = alltrue([for task in [aws_ecs_task_definition.app, aws_ecs_task_definition.elasticsearch, aws_ecs_task_definition.maintenance] : task.skip_destroy])
    error_message = "Old revisions must not be deregistered, because a rollback needs them."
  }
}

run "character_set" {
  command = plan

  assert {
    condition = { for parameter in aws_db_parameter_group.main.parameter : parameter.name => parameter.value if startswith(parameter.name, "char") || startswith(parameter.name, "coll") } == {
      character_set_server = "utf8mb3", collation_server = "utf8mb3_unicode_ci"
    }
    error_message = "The server must start with utf8mb3."
  }
}

run "no_secret_in_any_attribute" {
  command = plan

  assert {
    condition = alltrue([
      aws_db_instance.main.password_wo == null, aws_db_instance.main.password == null,
      aws_secretsmanager_secret_version.db_uri.secret_string_wo == null, aws_secretsmanager_secret_version.db_uri.secret_string == null || aws_secretsmanager_secret_version.db_uri.secret_string == "",
    ])
    error_message = "The password must not be readable in any attribute."
  }

  assert {
    condition = !strcontains(join(" ", [
      aws_ecs_task_definition.app.container_definitions, aws_ecs_task_definition.maintenance.container_definitions, aws_ecs_task_definition.elasticsearch.container_definitions,
    ]), "canary-password")
    error_message = "The password must not be in a task definition."
  }
}

run "three_zones" {
  command = plan

  variables {
    config = merge(var.config, { vpc = {
      vpc_cidr = "10.20.0.0/16"
      azs      = ["us-west-2a", "us-west-2b", "us-west-2c"]
      subnets  = { private = ["10.20.0.0/20", "10.20.16.0/20", "10.20.32.0/20"], public = ["10.20.48.0/24", "10.20.49.0/24", "10.20.50.0/24"] }
    } })
  }

  assert {
    condition = alltrue([for resources in [aws_subnet.public, aws_subnet.private, aws_nat_gateway.main, aws_route.private_nat, aws_efs_mount_target.elasticsearch] :
    keys(resources) == ["us-west-2a", "us-west-2b", "us-west-2c"]])
    error_message = "Every Availability Zone must have its subnets, its NAT gateway and its mount target."
  }

  assert {
    condition     = aws_elasticache_replication_group.main.num_cache_clusters == 3 && length(aws_elasticache_replication_group.main.preferred_cache_cluster_azs) == 3
    error_message = "The cache must have one node in every zone: as many nodes as preferred zones."
  }

  assert {
    condition     = length(distinct([for subnet in aws_subnet.public : subnet.ipv6_cidr_block])) == 3
    error_message = "Every public subnet must have its own IPv6 block."
  }
}

run "issuer_on_its_own_port" {
  command = plan

  variables {
    config = merge(var.config, { app = { oauth = merge(var.config.app.oauth, { issuer = "https://sso.osmt-tests.org:8443/realms/skills" }) } })
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_egress_rule.internet : rule.from_port]) == toset([443, 8443])
    error_message = "The app must reach an issuer on another port than 443."
  }
}

run "smaller_for_tests" {
  command = plan

  variables {
    operations = { nat_gateways = "single", interface_endpoints = ["logs", "secretsmanager"], monthly_budget_usd = 300, alarm_emails = ["operators@osmt-tests.org"], app_max_count = 3 }
    config     = merge(var.config, { alb = merge(var.config.alb, { access_logs = false, ingress_cidrs = ["203.0.113.0/24"], enable_deletion_protection = false }) })
  }

  assert {
    condition     = keys(aws_nat_gateway.main) == ["us-west-2a"] && keys(aws_route.private_nat) == ["us-west-2a", "us-west-2b"]
    error_message = "One NAT gateway must serve both zones."
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 2 && length(aws_security_group.endpoints) == 1
    error_message = "The requested endpoints must exist, with their own security group."
  }

  assert {
    condition     = keys(aws_route53_record.app) == ["A"] && aws_lb.main.ip_address_type == "ipv4" && length(aws_vpc_security_group_ingress_rule.public) == 2
    error_message = "If only IPv4 networks are admitted, there must be no AAAA record."
  }

  assert {
    condition     = length(aws_s3_bucket.access_logs) == 0 && length(aws_lb.main.access_logs) == 0
    error_message = "Without access logs there must be no bucket for them."
  }

  assert {
    condition     = aws_appautoscaling_target.app.min_capacity == 2 && aws_appautoscaling_target.app.max_capacity == 3 && length(aws_budgets_budget.monthly) == 1
    error_message = "Autoscaling and budget must be as configured."
  }

  assert {
    condition     = one(aws_budgets_budget.monthly[0].cost_filter).values[0] == "user:Deployment$osmt-test-us-west-2"
    error_message = "The budget must filter by the tag that only this stack has, as AWS writes it: user:<key>$<value>."
  }

  assert {
    condition     = terraform_data.protection.input.protected
    error_message = "The database's protection alone must protect the stack."
  }
}

run "government_cloud" {
  command = plan

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-us-gov" }
  }

  override_data {
    target = data.aws_region.current
    values = { id = "us-gov-west-1", name = "us-gov-west-1" }
  }

  variables {
    config = merge(var.config, {
      region = "us-gov-west-1"
      alb    = { certificate_arn = "arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/0a1b2c3d-90ab-cdef-1234-567890abcdef" }
      vpc    = merge(var.config.vpc, { azs = ["us-gov-west-1a", "us-gov-west-1b"] })
    })
  }

  assert {
    condition = alltrue([
      startswith(aws_iam_role_policy_attachment.rds_monitoring.policy_arn, "arn:aws-us-gov:iam::aws:policy/"),
      strcontains(aws_iam_role.task["app"].assume_role_policy, "arn:aws-us-gov:ecs:us-gov-west-1:123456789012:*"),
      strcontains(aws_cloudwatch_event_rule.service_trouble.event_pattern, "arn:aws-us-gov:ecs:us-gov-west-1:"),
      length(data.aws_elb_service_account.current) == 1,
    ])
    error_message = "In another partition every ARN must name it."
  }
}

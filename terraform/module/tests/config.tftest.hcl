# One run for every mistake in a config: the plan must refuse it.
mock_provider "aws" {
  source = "./tests/mocks"
}

run "account_id_of_11_digits" {
  command = plan

  variables {
    config = merge(var.config, { account_id = "12345678901" })
  }

  expect_failures = [var.config]
}

run "env_in_upper_case" {
  command = plan

  variables {
    config = merge(var.config, { env = "Prod" })
  }

  expect_failures = [var.config]
}

run "env_with_underscore" {
  command = plan

  variables {
    config = merge(var.config, { env = "my_env" })
  }

  expect_failures = [var.config]
}

run "env_too_long" {
  command = plan

  variables {
    config = merge(var.config, { env = "a-name-of-17-char" })
  }

  expect_failures = [var.config]
}

run "domain_with_scheme" {
  command = plan

  variables {
    config = merge(var.config, { domain = { name = "https://osmt.osmt-tests.org", hosted_zone_id = "Z0123456789TESTS" } })
  }

  expect_failures = [var.config]
}

run "issuer_without_tls" {
  command = plan

  variables {
    config = merge(var.config, { app = { oauth = merge(var.config.app.oauth, { issuer = "http://login.osmt-tests.org" }) } })
  }

  expect_failures = [var.config]
}

run "placeholder_left" {
  command = plan

  variables {
    config = merge(var.config, { app = { oauth = merge(var.config.app.oauth, { client_id = "<app.oauth.client_id>" }) } })
  }

  expect_failures = [var.config]
}

run "certificate_of_another_region" {
  command = plan

  variables {
    config = merge(var.config, { alb = { certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-90ab-cdef-1234-567890abcdef" } })
  }

  expect_failures = [var.config]
}

run "ingress_without_mask" {
  command = plan

  variables {
    config = merge(var.config, { alb = merge(var.config.alb, { ingress_cidrs = ["203.0.113.0"] }) })
  }

  expect_failures = [var.config]
}

run "fargate_memory_too_small" {
  command = plan

  variables {
    config = merge(var.config, { ecs = { task = merge(var.config.ecs.task, { app = merge(var.config.ecs.task.app, { memory = 2048 }) }) } })
  }

  expect_failures = [var.config]
}

run "two_elasticsearch_nodes" {
  command = plan

  variables {
    config = merge(var.config, { ecs = { task = merge(var.config.ecs.task, { elasticsearch = merge(var.config.ecs.task.elasticsearch, { desired_count = 2 }) }) } })
  }

  expect_failures = [var.config]
}

run "image_with_tag" {
  command = plan

  variables {
    config = merge(var.config, { ecs = { task = merge(var.config.ecs.task, { app = merge(var.config.ecs.task.app, { docker_image = "wguopensource/osmt-app:3.0.0" }) }) } })
  }

  expect_failures = [var.config]
}

run "tag_latest" {
  command = plan

  variables {
    config = merge(var.config, { ecs = { task = merge(var.config.ecs.task, { app = merge(var.config.ecs.task.app, { docker_tag = "latest" }) }) } })
  }

  expect_failures = [var.config]
}

run "database_of_another_name" {
  command = plan

  variables {
    config = merge(var.config, { rds = merge(var.config.rds, { db_name = "osmt" }) })
  }

  expect_failures = [var.config]
}

run "family_of_another_engine" {
  command = plan

  variables {
    config = merge(var.config, { rds = merge(var.config.rds, { parameter_group_family = "mysql8.0" }) })
  }

  expect_failures = [var.config]
}

run "storage_too_small" {
  command = plan

  variables {
    config = merge(var.config, { rds = merge(var.config.rds, { allocated_storage = 10 }) })
  }

  expect_failures = [var.config]
}

run "backups_too_long" {
  command = plan

  variables {
    config = merge(var.config, { rds = merge(var.config.rds, { backup_retention_days = 36 }) })
  }

  expect_failures = [var.config]
}

run "cache_group_of_redis_6" {
  command = plan

  variables {
    config = merge(var.config, { elasticache = merge(var.config.elasticache, { parameter_group_name = "default.redis6.x" }) })
  }

  expect_failures = [var.config]
}

run "cache_without_failover" {
  command = plan

  variables {
    config = merge(var.config, { elasticache = merge(var.config.elasticache, { node_type = "cache.t1.micro" }) })
  }

  expect_failures = [var.config]
}

run "one_zone" {
  command = plan

  variables {
    config = merge(var.config, { vpc = merge(var.config.vpc, { azs = ["us-west-2a"], subnets = { private = ["192.168.100.0/27"], public = ["192.168.100.128/27"] } }) })
  }

  expect_failures = [var.config]
}

run "zone_of_another_region" {
  command = plan

  variables {
    config = merge(var.config, { vpc = merge(var.config.vpc, { azs = ["us-west-2a", "us-east-1b"] }) })
  }

  expect_failures = [var.config]
}

run "one_public_subnet_short" {
  command = plan

  variables {
    config = merge(var.config, { vpc = merge(var.config.vpc, { subnets = merge(var.config.vpc.subnets, { public = ["192.168.100.128/27"] }) }) })
  }

  expect_failures = [var.config]
}

run "subnet_outside_the_vpc" {
  command = plan

  variables {
    config = merge(var.config, { vpc = merge(var.config.vpc, { subnets = merge(var.config.vpc.subnets, { private = ["192.168.101.0/27", "192.168.100.64/27"] }) }) })
  }

  expect_failures = [var.config]
}

run "subnets_overlap" {
  command = plan

  variables {
    config = merge(var.config, { vpc = merge(var.config.vpc, { subnets = merge(var.config.vpc.subnets, { public = ["192.168.100.64/27", "192.168.100.192/27"] }) }) })
  }

  expect_failures = [var.config]
}

run "host_bits_set" {
  command = plan

  variables {
    config = merge(var.config, { vpc = merge(var.config.vpc, { subnets = merge(var.config.vpc.subnets, { public = ["192.168.100.129/27", "192.168.100.192/27"] }) }) })
  }

  expect_failures = [var.config]
}

run "public_subnet_too_small" {
  command = plan

  variables {
    config = merge(var.config, { vpc = merge(var.config.vpc, { subnets = merge(var.config.vpc.subnets, { public = ["192.168.100.128/28", "192.168.100.192/28"] }) }) })
  }

  expect_failures = [var.config]
}

run "logs_for_45_days" {
  command = plan

  variables {
    config = merge(var.config, { log_retention_days = 45 })
  }

  expect_failures = [var.config]
}

run "revision_zero" {
  command = plan

  variables {
    config = merge(var.config, { secrets_revision = 0 })
  }

  expect_failures = [var.config]
}

run "password_with_dollar" {
  command = plan

  variables {
    database_credentials = { username = "osmt_admin", password = "with$sign_0123456789" }
  }

  expect_failures = [var.database_credentials]
}

run "password_too_short" {
  command = plan

  variables {
    database_credentials = { username = "osmt_admin", password = "short" }
  }

  expect_failures = [var.database_credentials]
}

run "another_user" {
  command = plan

  variables {
    database_credentials = { username = "root", password = "long_enough_0123456789" }
  }

  expect_failures = [var.database_credentials]
}

run "unknown_processor" {
  command = plan

  variables {
    config = merge(var.config, { ecs = { task = merge(var.config.ecs.task, { app = merge(var.config.ecs.task.app, { cpu_architecture = "arm64" }) }) } })
  }

  expect_failures = [var.config]
}

run "extra_variable_in_lower_case" {
  command = plan

  variables {
    config = merge(var.config, { app = merge(var.config.app, { extra_environment = { "my-variable" = "1" } }) })
  }

  expect_failures = [var.config]
}

run "extra_variable_and_secret_of_one_name" {
  command = plan

  variables {
    config = merge(var.config, { app = merge(var.config.app, { extra_environment = { TWICE = "1" }, extra_secrets = ["TWICE"] }) })
  }

  expect_failures = [var.config]
}

run "app_version_that_is_not_a_version" {
  command = plan

  variables {
    config = merge(var.config, { app = merge(var.config.app, { version = "main" }) })
  }

  expect_failures = [var.config]
}

run "mysql_9" {
  command = plan

  variables {
    config = merge(var.config, { rds = merge(var.config.rds, { engine_version = "9.1", parameter_group_family = "mysql9.1" }) })
  }

  expect_failures = [var.config]
}

run "idle_for_too_long" {
  command = plan

  variables {
    operations = { idle_timeout = 5000 }
  }

  expect_failures = [var.operations]
}

run "unsupported_character_set" {
  command = plan

  variables {
    operations = { database_character_set = "utf8mb4" }
  }

  expect_failures = [var.operations]
}

run "life_cycle_of_an_unknown_kind" {
  command = plan

  variables {
    operations = { engine_lifecycle_support = "extended" }
  }

  expect_failures = [var.operations]
}

run "nat_of_an_unknown_kind" {
  command = plan

  variables {
    operations = { nat_gateways = "none" }
  }

  expect_failures = [var.operations]
}

run "app_max_count_below_desired_count" {
  command = plan

  variables {
    operations = { app_max_count = 1 }
  }

  expect_failures = [var.operations]
}

run "region_that_does_not_exist" {
  command = plan

  variables {
    config = merge(var.config, {
      region = "us-west-22"
      alb    = { certificate_arn = "arn:aws:acm:us-west-22:123456789012:certificate/0a1b2c3d-90ab-cdef-1234-567890abcdef" }
      vpc    = merge(var.config.vpc, { azs = ["us-west-22a", "us-west-22b"] })
    })
  }

  expect_failures = [var.config]
}

run "region_in_china" {
  command = plan

  variables {
    config = merge(var.config, {
      region = "cn-north-1"
      alb    = { certificate_arn = "arn:aws-cn:acm:cn-north-1:123456789012:certificate/0a1b2c3d-90ab-cdef-1234-567890abcdef" }
      vpc    = merge(var.config.vpc, { azs = ["cn-north-1a", "cn-north-1b"] })
    })
  }

  expect_failures = [var.config]
}

run "region_of_the_sovereign_cloud" {
  command = plan

  variables {
    config = merge(var.config, {
      region = "eusc-de-east-1"
      alb    = { certificate_arn = "arn:aws-cn:acm:eusc-de-east-1:123456789012:certificate/0a1b2c3d-90ab-cdef-1234-567890abcdef" }
      vpc    = merge(var.config.vpc, { azs = ["eusc-de-east-1a", "eusc-de-east-1b"] })
    })
  }

  expect_failures = [var.config]
}

run "isolated_region" {
  command = plan

  variables {
    config = merge(var.config, {
      region = "us-isob-east-1"
      alb    = { certificate_arn = "arn:aws-cn:acm:us-isob-east-1:123456789012:certificate/0a1b2c3d-90ab-cdef-1234-567890abcdef" }
      vpc    = merge(var.config.vpc, { azs = ["us-isob-east-1a", "us-isob-east-1b"] })
    })
  }

  expect_failures = [var.config]
}

run "hosted_zone_by_its_name" {
  command = plan

  variables {
    config = merge(var.config, { domain = { name = "osmt.osmt-tests.org", hosted_zone_id = "osmt-tests.org" } })
  }

  expect_failures = [var.config]
}

run "no_ingress_cidr" {
  command = plan

  variables {
    config = merge(var.config, { alb = merge(var.config.alb, { ingress_cidrs = [] }) })
  }

  expect_failures = [var.config]
}

run "no_app_task" {
  command = plan

  variables {
    config = merge(var.config, { ecs = { task = merge(var.config.ecs.task, { app = merge(var.config.ecs.task.app, { desired_count = 0 }) }) } })
  }

  expect_failures = [var.config]
}

run "instance_class_without_db" {
  command = plan

  variables {
    config = merge(var.config, { rds = merge(var.config.rds, { instance_class = "t4g.small" }) })
  }

  expect_failures = [var.config]
}

run "mail_address_without_domain" {
  command = plan

  variables {
    operations = { alarm_emails = ["operators"] }
  }

  expect_failures = [var.operations]
}

run "deregistration_for_too_long" {
  command = plan

  variables {
    operations = { deregistration_delay = 3601 }
  }

  expect_failures = [var.operations]
}

run "more_cache_nodes_than_a_group_takes" {
  command = plan

  variables {
    operations = { cache_nodes = 7 }
  }

  expect_failures = [var.operations]
}

run "cache_without_nodes" {
  command = plan

  variables {
    operations = { cache_nodes = 0 }
  }

  expect_failures = [var.operations]
}

run "tls_policy_of_another_service" {
  command = plan

  variables {
    operations = { ssl_policy = "TLSv1.2_2021" }
  }

  expect_failures = [var.operations]
}

run "tls_policy_with_tls_1_0" {
  command = plan

  variables {
    operations = { ssl_policy = "ELBSecurityPolicy-TLS13-1-0-2021-06" }
  }

  expect_failures = [var.operations]
}

run "rollback_without_breaker" {
  command = plan

  variables {
    operations = { circuit_breaker = { enable = false } }
  }

  expect_failures = [var.operations]
}

run "alarm_above_100_percent" {
  command = plan

  variables {
    operations = { alarms = { rds_cpu_percent = 101 } }
  }

  expect_failures = [var.operations]
}

run "alarm_below_zero" {
  command = plan

  variables {
    operations = { alarms = { task_restarts = -1 } }
  }

  expect_failures = [var.operations]
}

run "production_with_one_task" {
  command = plan

  variables {
    config     = merge(var.config, { env = "prod", ecs = { task = merge(var.config.ecs.task, { app = merge(var.config.ecs.task.app, { desired_count = 1 }) }) } })
    operations = { backup = { vault_name = "osmt-backups" } }
  }

  expect_failures = [check.production_survives_a_task]
}

run "production_in_one_zone" {
  command = plan

  variables {
    config     = merge(var.config, { env = "prod", rds = merge(var.config.rds, { multi_az = false }) })
    operations = { backup = { vault_name = "osmt-backups" } }
  }

  expect_failures = [check.production_survives_a_zone]
}

run "production_with_one_cache_node" {
  command = plan

  variables {
    config     = merge(var.config, { env = "prod" })
    operations = { backup = { vault_name = "osmt-backups" }, cache_nodes = 1 }
  }

  expect_failures = [check.production_survives_a_zone]
}

run "production_with_one_nat_gateway" {
  command = plan

  variables {
    config     = merge(var.config, { env = "prod" })
    operations = { backup = { vault_name = "osmt-backups" }, nat_gateways = "single" }
  }

  expect_failures = [check.production_survives_a_zone]
}

run "database_without_backups" {
  command = plan

  variables {
    config = merge(var.config, { rds = merge(var.config.rds, { backup_retention_days = 0 }) })
  }

  expect_failures = [check.database_can_be_restored]
}

run "production_database_unprotected" {
  command = plan

  variables {
    config     = merge(var.config, { env = "prod", rds = merge(var.config.rds, { skip_final_snapshot = true }) })
    operations = { backup = { vault_name = "osmt-backups" } }
  }

  expect_failures = [check.database_can_be_restored]
}

run "credentials_of_another_account" {
  command = plan

  override_data {
    target = data.aws_caller_identity.current
    values = { account_id = "210987654321" }
  }

  expect_failures = [data.aws_caller_identity.current]
}

run "domain_outside_the_hosted_zone" {
  command = plan

  override_data {
    target = data.aws_route53_zone.main
    values = { name = "another.org" }
  }

  expect_failures = [aws_route53_record.app]
}

run "dns_of_another_team" {
  command = plan

  variables {
    config = merge(var.config, { domain = { name = "osmt.osmt-tests.org", hosted_zone_id = "none" } })
  }

  assert {
    condition     = length(aws_route53_record.app) == 0 && length(data.aws_route53_zone.main) == 0
    error_message = "Without a hosted zone Terraform must not create a record."
  }

  assert {
    condition     = !output.dns_record.created_here && output.dns_record.name == "osmt.osmt-tests.org" && output.dns_record.type == "CNAME"
    error_message = "The output must say which record to add elsewhere."
  }
}

run "provider_in_another_region" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { id = "us-east-1", name = "us-east-1" }
  }

  expect_failures = [data.aws_region.current]
}

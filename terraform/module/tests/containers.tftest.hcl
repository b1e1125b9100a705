# The containers: exactly the variables that OSMT reads, secrets only as references, no privileges.
mock_provider "aws" {
  source = "./tests/mocks"
}

run "app" {
  command = plan

  assert {
    condition = { for entry in jsondecode(aws_ecs_task_definition.app.container_definitions)[0].secrets : entry.name => entry.valueFrom } == {
      DB_URI             = "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/db-uri-AbCdEf:DB_URI::"
      OAUTH_CLIENTSECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/written-AbCdEf:oauth_client_secret::"
    }
    error_message = "The app's secrets are not references to one key of one secret each."
  }

  assert {
    condition = { for entry in jsondecode(aws_ecs_task_definition.app.container_definitions)[0].environment : entry.name => entry.value } == {
      SPRING_PROFILES_ACTIVE                   = "apiserver,oauth2-okta"
      SPRING_FLYWAY_ENABLED                    = "false"
      SPRING_ELASTICSEARCH_URIS                = "http://elasticsearch.osmt-test.internal:9200"
      SPRING_LIFECYCLE_TIMEOUTPERSHUTDOWNPHASE = "40s"
      SERVER_SHUTDOWN                          = "graceful"
      SERVER_TOMCAT_KEEPALIVETIMEOUT           = "130s"
      SERVER_TOMCAT_REMOTEIP_INTERNALPROXIES   = "192\\.168\\.\\d{1,3}\\.\\d{1,3}"
      RQUEUE_WEB_ENABLE                        = "false"
      APP_BASEDOMAIN                           = "osmt.osmt-tests.org"
      APP_FRONTENDURL                          = "https://osmt.osmt-tests.org"
      APP_BASELINEAUDITLOGIFEMPTY              = "false"
      DB_NAME                                  = "osmt_db"
      REDIS_URI                                = "cache.osmt-tests.org:6379"
      ELASTICSEARCH_URI                        = "http://elasticsearch.osmt-test.internal:9200"
      OAUTH_ISSUER                             = "https://login.osmt-tests.org/oauth2/default"
      OAUTH_CLIENTID                           = "0oa1b2c3d4"
      OAUTH_AUDIENCE                           = "api://default"
      JAVA_TOOL_OPTIONS                        = "-XX:MaxRAMPercentage=70"
    }
    error_message = "The app's plain variables have other names or values than OSMT needs; a service never migrates, imports or reindexes."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.app.container_definitions)[0].image == "wguopensource/osmt-app:3.0.0"
    error_message = "A tag must follow a colon."
  }

  assert {
    condition = alltrue([
      jsondecode(aws_ecs_task_definition.app.container_definitions)[0].memory == 8192,
      aws_ecs_task_definition.app.memory == "8192",
      aws_ecs_task_definition.app.cpu == "2048",
      jsondecode(aws_ecs_task_definition.elasticsearch.container_definitions)[0].memory == 4096,
      aws_ecs_task_definition.elasticsearch.memory == "4096",
      aws_ecs_task_definition.elasticsearch.cpu == "1024",
    ])
    error_message = "Each task and its container must get the memory and CPU of its own settings."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.app.container_definitions)[0].dockerLabels["osmt.secrets-revision"] == "1"
    error_message = "A rotation must create a new task definition revision of the app."
  }

  assert {
    condition     = length(regexall("exec /bin/java -jar", jsondecode(aws_ecs_task_definition.app.container_definitions)[0].entryPoint[2])) == 1
    error_message = "Java must replace the shell: only then does it get the stop signal."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.app.container_definitions)[0].stopTimeout >= 40 + 10 && aws_lb_target_group.app.deregistration_delay == "60"
    error_message = "The container must have time to finish its requests after the stop signal."
  }

  assert {
    condition     = aws_lb.main.idle_timeout == 120
    error_message = "The app must keep idle connections open for longer than the load balancer does."
  }

  # While it waits for its neighbours (5 minutes at most) and starts (5 minutes at most) the container must not be replaced.
  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.app.container_definitions)[0].healthCheck.startPeriod +
      jsondecode(aws_ecs_task_definition.app.container_definitions)[0].healthCheck.interval *
      jsondecode(aws_ecs_task_definition.app.container_definitions)[0].healthCheck.retries
    ) == aws_ecs_service.app.health_check_grace_period_seconds
    error_message = "The container's health check and the load balancer's must give a new task the same time."
  }
}

run "maintenance" {
  command = plan

  assert {
    condition = { for entry in jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].environment : entry.name => entry.value if !startswith(entry.name, "SPRING_FLYWAY_INITSQLS") } == {
      APP_BASEDOMAIN        = "osmt.osmt-tests.org"
      APP_FRONTENDURL       = "https://osmt.osmt-tests.org"
      SPRING_FLYWAY_ENABLED = "true"
      OSMT_MIGRATE_PROFILES = "review,import"
      OSMT_REBUILDS_SEARCH  = "true"
      DB_NAME               = "osmt_db"
      REDIS_URI             = "cache.osmt-tests.org:6379"
      ELASTICSEARCH_URI     = "http://elasticsearch.osmt-test.internal:9200"
      JAVA_TOOL_OPTIONS     = "-XX:MaxRAMPercentage=70"
    }
    error_message = "The maintenance task's plain variables have other names or values than Spring, Flyway and the script need."
  }

  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].secrets[*].name == ["DB_PASSWORD", "DB_URI", "DB_USER"] &&
      length([for entry in jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].environment : entry if startswith(entry.name, "SPRING_FLYWAY_INITSQLS_")]) == 6
    )
    error_message = "The maintenance task must have the database's credentials, and give an empty database its character set."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].command == ["import", "reindex"]
    error_message = "The maintenance task must import and reindex (both migrate first) by default."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].image == jsondecode(aws_ecs_task_definition.app.container_definitions)[0].image
    error_message = "The maintenance must run the image that the app runs."
  }

  assert {
    condition = alltrue([for task in [aws_ecs_task_definition.app, aws_ecs_task_definition.maintenance] :
    length(regexall("java[^\n]*(PASSWORD|SECRET|DB_URI)", jsondecode(task.container_definitions)[0].entryPoint[2])) == 0])
    error_message = "A secret must not be on a command line."
  }
}

run "published_under_the_organisations_name" {
  command = plan

  variables {
    config = merge(var.config, { app = merge(var.config.app, {
      settings          = { creator_uri = "https://www.osmt-tests.org/ce", author_name = "OSMT Tests", white_label = "/opt/osmt/whitelabel" }
      extra_environment = { LOGGING_LEVEL_EDU_WGU = "DEBUG" }
      extra_secrets     = ["SPRING_MAIL_PASSWORD"]
    }) })
  }

  assert {
    condition = alltrue([for task in [aws_ecs_task_definition.app, aws_ecs_task_definition.maintenance] : alltrue([
      for name, value in { APP_DEFAULTCREATORURI = "https://www.osmt-tests.org/ce", APP_DEFAULTAUTHORNAME = "OSMT Tests", LOGGING_LEVEL_EDU_WGU = "DEBUG" } :
      contains(jsondecode(task.container_definitions)[0].environment, { name = name, value = value })
    ])])
    error_message = "Settings that are stored in the data must be the same for the app and the maintenance task."
  }

  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.app.container_definitions)[0].environment, { name = "WHITELABEL_PATH", value = "/opt/osmt/whitelabel" })
    error_message = "The app must know its white label."
  }

  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.app.container_definitions)[0].secrets, { name = "SPRING_MAIL_PASSWORD", valueFrom = "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/written-AbCdEf:SPRING_MAIL_PASSWORD::" })
    error_message = "An extra secret must be a key of osmt/<env>/extra."
  }
}

run "extra_variable_that_the_module_sets" {
  command = plan

  variables {
    config = merge(var.config, { app = merge(var.config.app, { extra_environment = { REDIS_URI = "elsewhere:6379" } }) })
  }

  expect_failures = [aws_ecs_task_definition.app]
}

run "osmt_4" {
  command = plan

  variables {
    config = merge(var.config, {
      app = merge(var.config.app, { version = "4.0.10" })
      ecs = { task = merge(var.config.ecs.task, { app = merge(var.config.ecs.task.app, { docker_tag = "0123abc", cpu_architecture = "ARM64" }) }) }
    })
  }

  assert {
    condition = alltrue([for name, value in { SPRING_PROFILES_ACTIVE = "apiserver,oauth2", SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_OKTA_SCOPE = "openid,profile,email" } :
    contains(jsondecode(aws_ecs_task_definition.app.container_definitions)[0].environment, { name = name, value = value })])
    error_message = "OSMT 4 has its own profiles, and signs no one in without the scope."
  }

  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.app.container_definitions)[0].secrets[*].name, "APP_SESSION_TOKEN_SECRET")
    error_message = "OSMT 4 does not start without its session secret."
  }

  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].environment, { name = "OSMT_MIGRATE_PROFILES", value = "migrate" })
    error_message = "OSMT 4 migrates by a profile of its own."
  }

  assert {
    condition     = one(aws_ecs_task_definition.app.runtime_platform).cpu_architecture == "ARM64" && one(aws_ecs_task_definition.elasticsearch.runtime_platform).cpu_architecture == "X86_64"
    error_message = "Each task must run on the processor of its own setting."
  }
}

run "osmt_of_an_unknown_line" {
  command = plan

  variables {
    config = merge(var.config, { app = merge(var.config.app, { version = "5.0.0" }) })
  }

  expect_failures = [aws_ecs_task_definition.app, aws_ecs_task_definition.maintenance]
}

# A tag that looks like a version is one: numbers of the organisation's own need app.version beside them.
run "a_tag_of_an_unknown_line" {
  command = plan

  variables {
    config = merge(var.config, { ecs = { task = merge(var.config.ecs.task, { app = merge(var.config.ecs.task.app, { docker_tag = "2026.11.2" }) }) } })
  }

  expect_failures = [aws_ecs_task_definition.app, aws_ecs_task_definition.maintenance]
}

run "osmt_1_is_treated_as_2" {
  command = plan

  variables {
    config = merge(var.config, {
      app = merge(var.config.app, { version = "1.1.0" })
      ecs = { task = merge(var.config.ecs.task, { app = merge(var.config.ecs.task.app, { docker_tag = "2026.11.2" }) }) }
    })
  }

  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].environment, { name = "OSMT_REBUILDS_SEARCH", value = "false" })
    error_message = "1.x is built like 2.x: its reindex job must not be run."
  }
}

run "elasticsearch_with_a_password" {
  command = plan

  variables {
    config = merge(var.config, { ecs = { task = merge(var.config.ecs.task, { elasticsearch = merge(var.config.ecs.task.elasticsearch, { authentication = true }) }) } })
  }

  assert {
    condition = alltrue([
      contains(jsondecode(aws_ecs_task_definition.elasticsearch.container_definitions)[0].secrets[*].name, "ELASTIC_PASSWORD"),
      contains(jsondecode(aws_ecs_task_definition.elasticsearch.container_definitions)[0].environment, { name = "xpack.security.enabled", value = "true" }),
      contains(jsondecode(aws_ecs_task_definition.app.container_definitions)[0].secrets[*].name, "ES_PASSWORD"),
      contains(jsondecode(aws_ecs_task_definition.app.container_definitions)[0].secrets[*].name, "SPRING_ELASTICSEARCH_PASSWORD"),
      contains(jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].secrets[*].name, "ES_PASSWORD"),
      contains(jsondecode(aws_ecs_task_definition.app.container_definitions)[0].environment, { name = "ES_USERNAME", value = "elastic" }),
    ])
    error_message = "Elasticsearch, the app, its health check and the maintenance must all have the password."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.elasticsearch.container_definitions)[0].dockerLabels["osmt.secrets-revision"] == "1"
    error_message = "A rotation must create a new task definition revision of Elasticsearch."
  }
}

run "no_privilege" {
  command = plan

  assert {
    condition = alltrue([for container in concat(
      jsondecode(aws_ecs_task_definition.app.container_definitions),
      jsondecode(aws_ecs_task_definition.maintenance.container_definitions),
      jsondecode(aws_ecs_task_definition.elasticsearch.container_definitions),
    ) : container.linuxParameters.capabilities.drop == ["ALL"] && !try(container.privileged, false)])
    error_message = "Every container must drop every capability."
  }

  assert {
    condition = alltrue([for container in concat(
      jsondecode(aws_ecs_task_definition.app.container_definitions),
      jsondecode(aws_ecs_task_definition.maintenance.container_definitions),
    ) : container.readonlyRootFilesystem])
    error_message = "OSMT's containers must have a read-only root file system."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.app.container_definitions)[0].user == "osmt" && jsondecode(aws_ecs_task_definition.elasticsearch.container_definitions)[0].user == "1000:0"
    error_message = "No server may run as root."
  }

  assert {
    condition     = aws_iam_role.execution["app"].name != aws_iam_role.task["app"].name
    error_message = "Execution role and task role must be different."
  }

  assert {
    condition     = alltrue([for name, repositories in local.ecr_repositories : length(repositories) == 0])
    error_message = "A public image must not add permissions for ECR."
  }
}

run "elasticsearch" {
  command = plan

  assert {
    condition = alltrue([for name, value in { "discovery.type" = "single-node", "xpack.security.enabled" = "false", "action.auto_create_index" = "-richskill_v1,-collection_v1,-jobcode_v1,-keyword,+*", "node.store.allow_mmap" = "false", "ES_JAVA_OPTS" = "-Xms2048m -Xmx2048m" } :
    contains(jsondecode(aws_ecs_task_definition.elasticsearch.container_definitions)[0].environment, { name = name, value = value })])
    error_message = "Elasticsearch on Fargate must be a single node without authentication and without mmap, with half of its memory as heap."
  }

  assert {
    condition     = length(aws_ecs_task_definition.elasticsearch.volume) == 1 && jsondecode(aws_ecs_task_definition.elasticsearch.container_definitions)[0].mountPoints[0].containerPath == "/usr/share/elasticsearch/data"
    error_message = "The index must be on a volume."
  }

  assert {
    condition     = one(aws_efs_access_point.elasticsearch.root_directory).path == "/elasticsearch-8"
    error_message = "Each major version must have its own folder: 7 does not start with the files of 8."
  }

  assert {
    condition     = aws_ecs_service.elasticsearch.deployment_maximum_percent == 100 && aws_ecs_service.elasticsearch.deployment_minimum_healthy_percent == 0
    error_message = "Two nodes must never use the same index."
  }
}

run "digest_and_ecr" {
  command = plan

  variables {
    config = merge(var.config, { ecs = { task = merge(var.config.ecs.task, { app = merge(var.config.ecs.task.app, {
      docker_image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/osmt/app"
      docker_tag   = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    }) }) } })
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.app.container_definitions)[0].image == "123456789012.dkr.ecr.us-west-2.amazonaws.com/osmt/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    error_message = "A digest must follow an at sign."
  }

  assert {
    condition     = local.ecr_repositories["app"] == ["arn:aws:ecr:us-west-2:123456789012:repository/osmt/app"] && local.ecr_repositories["elasticsearch"] == []
    error_message = "An image in ECR must give its task the right to pull from that repository, and only that."
  }
}

run "rotation" {
  command = plan

  variables {
    config = merge(var.config, { secrets_revision = 7 })
  }

  assert {
    condition = alltrue([
      aws_db_instance.main.password_wo_version == 7,
      aws_secretsmanager_secret_version.db_uri.secret_string_wo_version == 7,
      jsondecode(aws_ecs_task_definition.app.container_definitions)[0].dockerLabels["osmt.secrets-revision"] == "7",
      jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].dockerLabels["osmt.secrets-revision"] == "7",
    ])
    error_message = "secrets_revision must reach the database, the composed secret and every task that reads a secret."
  }
}

run "exec" {
  command = plan

  variables {
    operations = { ecs_exec = true }
  }

  assert {
    condition     = aws_ecs_service.app.enable_execute_command && !jsondecode(aws_ecs_task_definition.app.container_definitions)[0].readonlyRootFilesystem && length(aws_iam_role_policy.exec) == 2
    error_message = "ECS Exec needs its permission and a writable root file system."
  }
}

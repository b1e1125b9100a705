# What the containers get: exactly the names that OSMT reads, secrets by reference alone, no privilege.
mock_provider "aws" {
  source = "./tests/mocks"
}

run "app" {
  command = plan

  # docker_entrypoint.sh declares these thirteen; DB_NAME is read by Spring, JAVA_TOOL_OPTIONS by the JVM.
  assert {
    condition = toset([for entry in concat(
      jsondecode(aws_ecs_task_definition.app.container_definitions)[0].environment,
      jsondecode(aws_ecs_task_definition.app.container_definitions)[0].secrets,
      ) : entry.name]) == toset([
      "BASE_DOMAIN", "ENVIRONMENT", "DB_URI", "REDIS_URI", "ELASTICSEARCH_URI",
      "OAUTH_ISSUER", "OAUTH_CLIENTID", "OAUTH_CLIENTSECRET", "OAUTH_AUDIENCE",
      "MIGRATIONS_ENABLED", "SKIP_METADATA_IMPORT", "REINDEX_ELASTICSEARCH", "FRONTEND_URL",
      "DB_NAME", "JAVA_TOOL_OPTIONS",
    ])
    error_message = "The app's variables are not exactly those that OSMT's entrypoint, Spring and the JVM read."
  }

  assert {
    condition = { for entry in jsondecode(aws_ecs_task_definition.app.container_definitions)[0].secrets : entry.name => entry.valueFrom } == {
      DB_URI             = "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/db-uri-AbCdEf:DB_URI::"
      OAUTH_CLIENTSECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/written-AbCdEf:oauth_client_secret::"
    }
    error_message = "The app's secrets are not references to one key of one secret each."
  }

  assert {
    condition = { for entry in jsondecode(aws_ecs_task_definition.app.container_definitions)[0].environment : entry.name => entry.value } == {
      BASE_DOMAIN           = "osmt.osmt-tests.org"
      FRONTEND_URL          = "https://osmt.osmt-tests.org"
      ENVIRONMENT           = "apiserver,oauth2-okta"
      DB_NAME               = "osmt_db"
      REDIS_URI             = "cache.osmt-tests.org:6379"
      ELASTICSEARCH_URI     = "http://elasticsearch.osmt-test.internal:9200"
      OAUTH_ISSUER          = "https://login.osmt-tests.org/oauth2/default"
      OAUTH_CLIENTID        = "0oa1b2c3d4"
      OAUTH_AUDIENCE        = "api://default"
      MIGRATIONS_ENABLED    = "false"
      REINDEX_ELASTICSEARCH = "false"
      SKIP_METADATA_IMPORT  = "true"
      JAVA_TOOL_OPTIONS     = "-XX:MaxRAMPercentage=70 -Dapp.baseLineAuditLogIfEmpty=false"
    }
    error_message = "The app's plain variables have other values than OSMT wants; a service never migrates, imports or reindexes."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.app.container_definitions)[0].image == "wguopensource/osmt-app:3.0.0"
    error_message = "A tag must be joined with a colon."
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
    error_message = "A rotation must make a new revision of the app's task."
  }
}

run "maintenance" {
  command = plan

  assert {
    condition = toset([for entry in concat(
      jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].environment,
      jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].secrets,
      ) : entry.name]) == toset([
      "DB_URI", "DB_USER", "DB_PASSWORD", "DB_NAME", "REDIS_URI", "ELASTICSEARCH_URI", "JAVA_TOOL_OPTIONS",
    ])
    error_message = "The maintenance task's variables are not exactly those that Spring, Flyway and the JVM read."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].command == ["import", "reindex"]
    error_message = "The maintenance task must import and reindex (both migrate first) unless told otherwise."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].image == jsondecode(aws_ecs_task_definition.app.container_definitions)[0].image
    error_message = "The maintenance must run the very image that the app runs."
  }

  assert {
    condition     = !strcontains(jsondecode(aws_ecs_task_definition.maintenance.container_definitions)[0].entryPoint[2], "DB_")
    error_message = "A secret must not stand on a command line."
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
    error_message = "What starts a task and what runs in it must be two roles."
  }

  assert {
    condition     = alltrue([for name, repositories in local.ecr_repositories : length(repositories) == 0])
    error_message = "A public image needs no permission at ECR."
  }
}

run "elasticsearch" {
  command = plan

  assert {
    condition = alltrue([for name, value in { "discovery.type" = "single-node", "xpack.security.enabled" = "false", "node.store.allow_mmap" = "false", "ES_JAVA_OPTS" = "-Xms2048m -Xmx2048m" } :
    contains(jsondecode(aws_ecs_task_definition.elasticsearch.container_definitions)[0].environment, { name = name, value = value })])
    error_message = "Elasticsearch on Fargate must be a single node without authentication and without mmap, with half of its memory as heap."
  }

  assert {
    condition     = length(aws_ecs_task_definition.elasticsearch.volume) == 1 && jsondecode(aws_ecs_task_definition.elasticsearch.container_definitions)[0].mountPoints[0].containerPath == "/usr/share/elasticsearch/data"
    error_message = "The index must lie on a volume."
  }

  assert {
    condition     = aws_ecs_service.elasticsearch.deployment_maximum_percent == 100 && aws_ecs_service.elasticsearch.deployment_minimum_healthy_percent == 0
    error_message = "Two nodes must never run on one index."
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
    error_message = "A digest must be joined with an at sign."
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

# What `operations.tf` of the invocation may set. variables.tf has the deployment itself.
variable "operations" {
  description = <<-EOT
    How the organisation operates the stack; every setting has a default that suits production.

    - `nat_gateways`: one_per_zone survives the loss of a zone; single is cheaper and for test environments
    - `interface_endpoints`: AWS services reached without NAT, such as ["logs", "secretsmanager"]; docs/cost.md says when they pay
    - `existing_network`: use this network instead of creating one; the config's blocks and zones must describe it
    - `existing_network.vpc_id`: the VPC
    - `existing_network.private_subnet_ids`: one for each zone of the config, in its order, with a route to the Internet
    - `existing_network.public_subnet_ids`: likewise, for a load balancer on the Internet
    - `internal_load_balancer`: the load balancer has private addresses only; turning it on or off replaces it
    - `app_max_count`: the most tasks of the app under load; twice the config's desired_count if null
    - `ecs_exec`: a shell in running tasks (aws ecs execute-command), recorded in a log group; makes the root file system writable
    - `alarm_emails`: who gets a mail when an alarm goes off; each address must confirm once
    - `monthly_budget_usd`: mails at 80 % (spent) and 100 % (forecast) of this many US dollars a month; none if null
    - `web_acl_arn`: a web ACL of the organisation, put before the load balancer
    - `waf`: a web ACL with AWS's managed rules and a rate limit; none if null
    - `waf.rate_limit`: requests of one address in five minutes
    - `waf.managed_rules`: AWS's rule groups, in this order
    - `waf.count_only`: block nothing, only count and log
    - `restore_from_snapshot`: create the database from this snapshot; read only when the database is created
    - `restore_to_point_in_time`: create the database from another one's automated backups; read only when the database is created
    - `restore_to_point_in_time.source_db_instance_identifier`: the database, if it exists
    - `restore_to_point_in_time.source_dbi_resource_id`: the resource id of a database that exists or was deleted
    - `restore_to_point_in_time.source_db_instance_automated_backups_arn`: retained or replicated automated backups
    - `restore_to_point_in_time.restore_time`: the moment in UTC; the latest possible one if null
    - `database_kms_key_arn`: a key of the organisation for the database, read when it is created; aws/rds if null
    - `backup`: AWS Backup of the database into a vault that outlives the stack (terraform/vault); none if null
    - `backup.vault_name`: the vault, in this account and Region
    - `backup.schedule`: when, UTC; not within windows.backup
    - `backup.keep_days`: how long a recovery point is kept
    - `backup.copy_to`: ARNs of vaults in other Regions or accounts, with the days that each keeps its copy
    - `windows`: UTC; backup, snapshot of the cache and maintenance must not overlap
    - `windows.backup`: the database's automated backup
    - `windows.snapshot`: the cache's snapshot
    - `windows.maintenance`: maintenance of database and cache
    - `cache_nodes`: nodes of the session cache, 1 to 6; one in every zone if null; one node has no failover
    - `fargate_spot`: the app's tasks but for the first on Fargate Spot: cheaper, and AWS stops them at two minutes' notice
    - `schedule`: stop the app and Elasticsearch every night, for test environments; never if null
    - `schedule.stop`: when to stop, a cron expression of six fields
    - `schedule.start`: when to start again
    - `schedule.timezone`: the time zone of both, such as America/Denver
    - `circuit_breaker`: what ECS does with a deployment that fails
    - `circuit_breaker.enable`: stop it
    - `circuit_breaker.rollback`: return to the revision before
    - `alarms`: when an alarm goes off; docs/terraform.md says what to do for each
    - `alarms.alb_5xx_count`: errors of the load balancer itself in five minutes, twice in a row
    - `alarms.app_5xx_count`: errors of OSMT in five minutes, twice in a row
    - `alarms.app_slow_seconds`: the 95th percentile of response times
    - `alarms.app_memory_percent`: memory of the app
    - `alarms.health_minutes`: minutes in a row in which /health of OSMT is not 200
    - `alarms.task_restarts`: tasks that ended by themselves in 15 minutes
    - `alarms.elasticsearch_memory_percent`: memory of Elasticsearch
    - `alarms.rds_free_storage_percent`: of allocated_storage
    - `alarms.rds_cpu_percent`: CPU of the database
    - `alarms.rds_free_memory_percent`: of the class's memory
    - `alarms.rds_connections_percent`: of the connections that RDS allows by default
    - `alarms.rds_credits`: CPU credits of a burstable class, for two hours
    - `alarms.cache_memory_percent`: memory of a cache node
    - `alarms.cache_cpu_percent`: CPU of a cache node
    - `alarms.cache_lag_seconds`: how far a replica is behind
    - `alarms.certificate_days`: days until the certificate expires
    - `idle_timeout`: seconds without traffic after which the load balancer closes a connection; the app keeps its own end open longer
    - `deregistration_delay`: seconds in which a task that is taken out still finishes its requests
    - `ssl_policy`: the TLS versions and ciphers of the load balancer
    - `autoscaling`: how the number of app tasks follows the load
    - `autoscaling.cpu_percent`: the average CPU to keep
    - `autoscaling.scale_out_cooldown`: seconds between two additions
    - `autoscaling.scale_in_cooldown`: seconds between two removals
    - `database_character_set`: the server's, when the database is created; "default" leaves it to RDS; the maintenance task does not need it
    - `allow_major_version_upgrade`: let an apply move the database to another major version (8.0 to 8.4)
    - `blue_green_update`: make such a change on a copy and switch over (RDS Blue/Green Deployments)
    - `engine_lifecycle_support`: open-source-rds-extended-support, or open-source-rds-extended-support-disabled: RDS then upgrades by itself
    - `region_in_names`: names of IAM roles and the budget carry the Region: for a second Region of the same environment in one account
    - `registry_credentials`: ARNs of secrets with {"username", "password"} for the images' registries, encrypted with AWS's own key
    - `registry_credentials.app`: for the app's image
    - `registry_credentials.elasticsearch`: for Elasticsearch's image
    - `ecr_pull_through_cache`: the images are in ECR behind a pull through cache rule: let the tasks' execution roles fill the cache
    - `apply_immediately`: database and cache changes now instead of in the next maintenance window; they may restart
  EOT
  nullable    = false
  default     = {}

  type = object({
    nat_gateways        = optional(string, "one_per_zone")
    interface_endpoints = optional(set(string), [])
    existing_network = optional(object({
      vpc_id             = string
      private_subnet_ids = list(string)
      public_subnet_ids  = optional(list(string), [])
    }))
    internal_load_balancer = optional(bool, false)
    app_max_count          = optional(number)
    ecs_exec               = optional(bool, false)
    alarm_emails           = optional(set(string), [])
    monthly_budget_usd     = optional(number)
    web_acl_arn            = optional(string)
    waf = optional(object({
      rate_limit    = optional(number, 2000)
      managed_rules = optional(list(string), ["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesSQLiRuleSet"])
      count_only    = optional(bool, false)
    }))
    restore_from_snapshot = optional(string)
    restore_to_point_in_time = optional(object({
      source_db_instance_identifier            = optional(string)
      source_dbi_resource_id                   = optional(string)
      source_db_instance_automated_backups_arn = optional(string)
      restore_time                             = optional(string)
    }))
    database_kms_key_arn = optional(string)
    backup = optional(object({
      vault_name = string
      schedule   = optional(string, "cron(0 4 * * ? *)")
      keep_days  = optional(number, 35)
      copy_to    = optional(map(number), {})
    }))
    windows = optional(object({
      backup      = optional(string, "08:00-09:00")
      snapshot    = optional(string, "07:00-08:00")
      maintenance = optional(string, "sun:09:30-sun:10:30")
    }), {})
    cache_nodes  = optional(number)
    fargate_spot = optional(bool, false)
    schedule = optional(object({
      stop     = string
      start    = string
      timezone = optional(string, "UTC")
    }))
    circuit_breaker = optional(object({
      enable   = optional(bool, true)
      rollback = optional(bool, true)
    }), {})
    alarms = optional(object({
      alb_5xx_count                = optional(number, 10)
      app_5xx_count                = optional(number, 10)
      app_slow_seconds             = optional(number, 5)
      app_memory_percent           = optional(number, 92)
      health_minutes               = optional(number, 5)
      task_restarts                = optional(number, 3)
      elasticsearch_memory_percent = optional(number, 95)
      rds_free_storage_percent     = optional(number, 10)
      rds_cpu_percent              = optional(number, 85)
      rds_free_memory_percent      = optional(number, 5)
      rds_connections_percent      = optional(number, 70)
      rds_credits                  = optional(number, 20)
      cache_memory_percent         = optional(number, 80)
      cache_cpu_percent            = optional(number, 85)
      cache_lag_seconds            = optional(number, 30)
      certificate_days             = optional(number, 21)
    }), {})
    idle_timeout         = optional(number, 120)
    deregistration_delay = optional(number, 60)
    ssl_policy           = optional(string, "ELBSecurityPolicy-TLS13-1-2-2021-06")
    autoscaling = optional(object({
      cpu_percent        = optional(number, 60)
      scale_out_cooldown = optional(number, 120)
      scale_in_cooldown  = optional(number, 600)
    }), {})
    database_character_set      = optional(string, "utf8mb3")
    allow_major_version_upgrade = optional(bool, false)
    blue_green_update           = optional(bool, false)
    engine_lifecycle_support    = optional(string)
    region_in_names             = optional(bool, false)
    registry_credentials = optional(object({
      app           = optional(string)
      elasticsearch = optional(string)
    }), {})
    ecr_pull_through_cache = optional(bool, false)
    apply_immediately      = optional(bool, false)
  })

  validation {
    condition     = contains(["one_per_zone", "single"], var.operations.nat_gateways)
    error_message = "operations.nat_gateways must be one_per_zone or single."
  }
  validation {
    condition     = var.operations.app_max_count == null || try(var.operations.app_max_count >= var.config.ecs.task.app.desired_count, false)
    error_message = "operations.app_max_count is less than ecs.task.app.desired_count (${var.config.ecs.task.app.desired_count})."
  }
  validation {
    condition     = var.operations.idle_timeout >= 1 && var.operations.idle_timeout <= 4000 && var.operations.deregistration_delay >= 0 && var.operations.deregistration_delay <= 3600
    error_message = "operations.idle_timeout is 1 to 4000 seconds, operations.deregistration_delay 0 to 3600."
  }
  validation {
    condition     = var.operations.cache_nodes == null || try(contains(range(1, 7), var.operations.cache_nodes), false)
    error_message = "operations.cache_nodes is 1 to 6: ElastiCache takes one primary and five replicas."
  }
  # Names of "Security policies for your Application Load Balancer" in the Elastic Load Balancing user guide; those of 2015
  # and 2016, TLS13-1-0, TLS13-1-1, TLS-1-0, TLS-1-1 and FS-2018 admit TLS 1.0 or 1.1.
  validation {
    condition     = can(regex("^ELBSecurityPolicy-(TLS13-1-[23]|TLS-1-2|FS-1-2)-", var.operations.ssl_policy))
    error_message = "operations.ssl_policy must be a security policy of Elastic Load Balancing for TLS 1.2 and later: ELBSecurityPolicy-TLS13-1-2-…, -TLS13-1-3-…, -TLS-1-2-… or -FS-1-2-…"
  }
  validation {
    condition     = var.operations.circuit_breaker.enable || !var.operations.circuit_breaker.rollback
    error_message = "operations.circuit_breaker.rollback needs operations.circuit_breaker.enable."
  }
  validation {
    condition     = alltrue([for name, value in var.operations.alarms : value >= 0 && (!endswith(name, "_percent") || value <= 100)])
    error_message = "operations.alarms: no threshold is less than 0, and no percentage more than 100."
  }
  validation {
    condition     = var.operations.alarms.health_minutes >= 1 && var.operations.alarms.health_minutes <= 1440 && floor(var.operations.alarms.health_minutes) == var.operations.alarms.health_minutes
    error_message = "operations.alarms.health_minutes is a whole number of minutes, 1 to 1440: CloudWatch evaluates an alarm over at most one day."
  }
  validation {
    condition     = contains(["utf8mb3", "utf8", "default"], var.operations.database_character_set)
    error_message = "operations.database_character_set must be utf8mb3, utf8 or default."
  }
  validation {
    condition     = var.operations.engine_lifecycle_support == null || try(contains(["open-source-rds-extended-support", "open-source-rds-extended-support-disabled"], var.operations.engine_lifecycle_support), false)
    error_message = "operations.engine_lifecycle_support must be open-source-rds-extended-support or open-source-rds-extended-support-disabled."
  }
  validation {
    condition     = var.operations.existing_network == null || try(length(var.operations.existing_network.private_subnet_ids) == length(var.config.vpc.azs) && contains([0, length(var.config.vpc.azs)], length(var.operations.existing_network.public_subnet_ids)), false)
    error_message = "operations.existing_network needs one private subnet for each zone of config.vpc.azs, in the same order, and as many public ones or none."
  }
  validation {
    condition     = var.operations.existing_network == null || var.operations.internal_load_balancer || try(length(var.operations.existing_network.public_subnet_ids) > 0, false)
    error_message = "operations.existing_network has no public subnets: set operations.internal_load_balancer, or name them."
  }
  validation {
    condition     = var.operations.web_acl_arn == null || var.operations.waf == null
    error_message = "operations.web_acl_arn and operations.waf exclude each other: a load balancer has one web ACL."
  }
  # AWS WAF: 10 to 2,000,000,000 requests ("RateBasedStatement" in the AWS WAFV2 API Reference).
  validation {
    condition     = var.operations.waf == null || try(var.operations.waf.rate_limit >= 10 && length(distinct(var.operations.waf.managed_rules)) == length(var.operations.waf.managed_rules) && alltrue([for group in var.operations.waf.managed_rules : startswith(group, "AWSManagedRules")]), false)
    error_message = "operations.waf.rate_limit is 10 or more, and operations.waf.managed_rules names rule groups of AWS, each once: AWSManagedRules…"
  }
  validation {
    condition     = var.operations.schedule == null || try(alltrue([for at in [var.operations.schedule.stop, var.operations.schedule.start] : can(regex("^cron\\(([^ ]+ ){5}[^ ]+\\)$", at))]), false)
    error_message = "operations.schedule.stop and operations.schedule.start are cron expressions of six fields, such as cron(0 19 ? * MON-FRI *)."
  }
  # Whether they overlap is a precondition of the database (rds.tf).
  validation {
    condition = alltrue([for name, window in var.operations.windows : can(regex(
    name == "maintenance" ? "^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$" : "^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", window))])
    error_message = "operations.windows: backup and snapshot are times in UTC such as 08:00-09:00, maintenance such as sun:09:30-sun:10:30."
  }
  validation {
    condition     = var.operations.monthly_budget_usd == null || try(var.operations.monthly_budget_usd > 0, false)
    error_message = "operations.monthly_budget_usd is more than 0; null for no budget."
  }
  validation {
    condition     = var.operations.autoscaling.cpu_percent >= 1 && var.operations.autoscaling.cpu_percent <= 100 && var.operations.autoscaling.scale_out_cooldown >= 0 && var.operations.autoscaling.scale_in_cooldown >= 0
    error_message = "operations.autoscaling.cpu_percent is 1 to 100, and no cooldown is less than 0."
  }
  validation {
    condition     = var.operations.backup == null || try(var.operations.backup.keep_days >= 1 && alltrue([for arn, days in var.operations.backup.copy_to : days >= 1 && can(regex("^arn:aws[a-z-]*:backup:[a-z0-9-]+:[0-9]{12}:backup-vault:[A-Za-z0-9_-]{2,50}$", arn))]), false)
    error_message = "operations.backup.keep_days is 1 or more, and operations.backup.copy_to maps ARNs of backup vaults to days, 1 or more."
  }
  # An account's copies need a key that the other account can use; aws/rds is not one.
  validation {
    condition     = var.operations.database_kms_key_arn != null || try(alltrue([for arn, days in var.operations.backup.copy_to : split(":", arn)[4] == var.config.account_id]), true)
    error_message = "operations.backup.copy_to names a vault of another account, but the database is encrypted with aws/rds, which AWS Backup cannot copy there: set operations.database_kms_key_arn."
  }
  validation {
    condition     = var.operations.database_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:${var.config.region}:[0-9]{12}:key/[A-Za-z0-9-]+$", var.operations.database_kms_key_arn))
    error_message = "operations.database_kms_key_arn must be the ARN of a KMS key (not of an alias) in ${var.config.region}."
  }
  validation {
    condition     = var.operations.restore_from_snapshot == null || var.operations.restore_to_point_in_time == null
    error_message = "operations.restore_from_snapshot and operations.restore_to_point_in_time exclude each other."
  }
  validation {
    condition = var.operations.restore_to_point_in_time == null || try(length(compact([
      var.operations.restore_to_point_in_time.source_db_instance_identifier, var.operations.restore_to_point_in_time.source_dbi_resource_id,
      var.operations.restore_to_point_in_time.source_db_instance_automated_backups_arn,
    ])) == 1 && can(timeadd(coalesce(var.operations.restore_to_point_in_time.restore_time, "2026-01-01T00:00:00Z"), "0s")), false)
    error_message = "operations.restore_to_point_in_time names exactly one source, and restore_time is a time in UTC such as 2026-11-22T06:30:00Z."
  }
  validation {
    condition     = alltrue([for address in var.operations.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "operations.alarm_emails must be mail addresses."
  }
}

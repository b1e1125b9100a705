variable "config" {
  description = "The deployment, as config.auto.tfvars.json states it. osmt-doctor check explains every mistake in it with its place."
  nullable    = false

  type = object({
    account_id = string
    region     = string
    env        = string
    domain = object({
      name           = string
      hosted_zone_id = string
    })
    app = object({
      oauth = object({
        issuer    = string
        client_id = string
        audience  = string
      })
    })
    alb = object({
      certificate_arn            = string
      enable_deletion_protection = optional(bool, true)
      access_logs                = optional(bool, true)
      ingress_cidrs              = optional(list(string), ["0.0.0.0/0"])
    })
    ecs = object({
      task = object({
        app = object({
          cpu           = number
          memory        = number
          desired_count = number
          docker_image  = string
          docker_tag    = string
        })
        elasticsearch = object({
          cpu           = number
          memory        = number
          desired_count = number
          docker_image  = string
          docker_tag    = string
        })
      })
    })
    elasticache = object({
      engine_version       = string
      node_type            = string
      parameter_group_name = string
    })
    rds = object({
      db_name                    = string
      engine_version             = string
      instance_class             = string
      parameter_group_family     = string
      multi_az                   = bool
      allocated_storage          = optional(number, 20)
      backup_retention_days      = optional(number, 7)
      enable_deletion_protection = optional(bool, true)
      skip_final_snapshot        = optional(bool, false)
    })
    vpc = object({
      vpc_cidr = string
      azs      = list(string)
      subnets = object({
        private = list(string)
        public  = list(string)
      })
    })
    log_retention_days = optional(number, 30)
    secrets_revision   = optional(number, 1)
  })
}

variable "database_credentials" {
  description = "User name and password of the database, read ephemerally from the secret osmt/<env>/rds: they are in no state and no plan."
  nullable    = false
  ephemeral   = true
  sensitive   = true

  type = object({
    username = string
    password = string
  })
}

variable "operations" {
  description = "How the organisation operates the stack; every setting has a default that suits production."
  nullable    = false
  default     = {}

  type = object({
    # one_per_zone survives the loss of a zone; single is cheaper and for test environments.
    nat_gateways = optional(string, "one_per_zone")
    # AWS services reached without NAT, e.g. ["logs", "secretsmanager"]; docs/cost.md says when they pay.
    interface_endpoints = optional(set(string), [])
    # The most tasks of the app under load; twice the config's desired_count if null.
    app_max_count = optional(number)
    # A shell in running tasks (`aws ecs execute-command`), recorded in a log group. Makes the root file system writable.
    ecs_exec = optional(bool, false)
    # Who gets a mail when an alarm goes off. Each address must confirm once.
    alarm_emails = optional(set(string), [])
    # Mails at 80 % (spent) and 100 % (forecast) of this many US dollars a month; none if null.
    monthly_budget_usd = optional(number)
    # A web ACL of the organisation, put before the load balancer.
    web_acl_arn = optional(string)
    # Make the database from this snapshot. Read only when the database is made.
    restore_from_snapshot = optional(string)
    # Database and cache changes now instead of in the next maintenance window. They may restart.
    apply_immediately = optional(bool, false)
  })
}

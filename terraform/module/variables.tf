# Messages begin with the code and the summary of the doctor's rule; `osmt-doctor explain CODE` prints the explanation.
variable "config" {
  description = <<-EOT
    The deployment, from config.auto.tfvars.json. `osmt-doctor check` reports every mistake with its position.

    - `account_id`: the AWS account, 12 digits
    - `region`: the AWS Region
    - `env`: the environment's name; all names begin with osmt-<env>
    - `domain.name`: the host name of OSMT
    - `domain.hosted_zone_id`: the Route 53 zone of the domain; "none" if the DNS is managed elsewhere
    - `app.oauth.issuer`: the OpenID provider's issuer URL
    - `app.oauth.client_id`: the id of the client that is registered at the provider
    - `app.oauth.audience`: the audience of its tokens
    - `app.version`: the OSMT release in the image; the default is docker_tag if that is a version
    - `app.settings.creator_uri`: the creator that OSMT publishes for skills and collections
    - `app.settings.author_name`: the author's name that OSMT publishes
    - `app.settings.author_uri`: the author's URI that OSMT publishes
    - `app.settings.white_label`: path of a white-label configuration in the image
    - `app.extra_environment`: more environment variables of the app and the maintenance task
    - `app.extra_secrets`: names of more secret environment variables; osmt-secrets writes the values to osmt/<env>/extra
    - `alb.certificate_arn`: the ACM certificate, in this account and Region
    - `alb.enable_deletion_protection`: AWS refuses to delete the load balancer
    - `alb.access_logs`: write access logs to an S3 bucket
    - `alb.ingress_cidrs`: addresses that may connect to ports 80 and 443
    - `ecs.task.app.cpu`, `ecs.task.elasticsearch.cpu`: CPU units of a task
    - `ecs.task.app.memory`, `ecs.task.elasticsearch.memory`: MiB of a task
    - `ecs.task.app.desired_count`: the minimum number of app tasks
    - `ecs.task.elasticsearch.desired_count`: always 1
    - `ecs.task.app.docker_image`, `ecs.task.elasticsearch.docker_image`: the image without tag
    - `ecs.task.app.docker_tag`, `ecs.task.elasticsearch.docker_tag`: its tag, or a digest sha256:…
    - `ecs.task.app.cpu_architecture`, `ecs.task.elasticsearch.cpu_architecture`: X86_64 or ARM64
    - `ecs.task.elasticsearch.authentication`: Elasticsearch requires the password in osmt/<env>/elasticsearch
    - `elasticache.engine_version`: the version of Redis
    - `elasticache.node_type`: the size of a cache node
    - `elasticache.parameter_group_name`: the cache's parameter group
    - `rds.db_name`: osmt_db, the name in OSMT's migrations
    - `rds.engine_version`: MySQL, two numbers (minor versions are installed by RDS) or a full version
    - `rds.instance_class`: the size of the database
    - `rds.parameter_group_family`: mysql and the first two numbers of the version
    - `rds.multi_az`: a standby instance in another Availability Zone
    - `rds.allocated_storage`: GiB at creation; storage autoscaling increases it up to five times
    - `rds.backup_retention_days`: days of automated backups, 0 turns them off
    - `rds.enable_deletion_protection`: AWS refuses to delete the database, and this module to destroy the stack
    - `rds.skip_final_snapshot`: delete the database without a final snapshot
    - `vpc.vpc_cidr`: the VPC's IPv4 block
    - `vpc.azs`: the Availability Zones, at least two
    - `vpc.subnets.private`: one block per Availability Zone, for tasks, database and cache
    - `vpc.subnets.public`: one block per Availability Zone, for load balancer and NAT gateways
    - `log_retention_days`: retention of the log groups in CloudWatch Logs
    - `secrets_revision`: osmt-secrets increases it; a new number makes Terraform write the secrets and replace the tasks
  EOT
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
      version = optional(string)
      settings = optional(object({
        creator_uri = optional(string)
        author_name = optional(string)
        author_uri  = optional(string)
        white_label = optional(string)
      }), {})
      extra_environment = optional(map(string), {})
      extra_secrets     = optional(list(string), [])
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
          cpu              = number
          memory           = number
          desired_count    = number
          docker_image     = string
          docker_tag       = string
          cpu_architecture = optional(string, "X86_64")
        })
        elasticsearch = object({
          cpu              = number
          memory           = number
          desired_count    = number
          docker_image     = string
          docker_tag       = string
          cpu_architecture = optional(string, "X86_64")
          authentication   = optional(bool, false)
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

  # Identity and names
  validation {
    condition     = can(regex("^[0-9]{12}$", var.config.account_id))
    error_message = "ID001 The account id is not 12 digits: \"${var.config.account_id}\"."
  }
  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.config.region))
    error_message = "ID002 AWS has no such region: \"${var.config.region}\"."
  }
  # In the other partitions (China, European Sovereign Cloud, the isolated ones) service names do not end in amazonaws.com, and Docker
  # Hub is not available in all of them.
  validation {
    condition     = !can(regex("^(cn|eusc|us-iso[a-z]?|eu-iso[a-z]?)-", var.config.region))
    error_message = "ID002 This module supports the partitions aws and aws-us-gov; the Region is in another one: \"${var.config.region}\"."
  }
  # osmt-<env> is the name of the load balancer (at most 32 characters), the cache and the database; this pattern is valid for all.
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,14}[a-z0-9]$", var.config.env)) && !strcontains(var.config.env, "--")
    error_message = "NAM001 The environment's name does not fit into the names of AWS: \"${var.config.env}\" is not 2 to 16 lower-case letters, digits and single hyphens, beginning with a letter and not ending with a hyphen."
  }
  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]([a-z0-9-]*[a-z0-9])$", var.config.domain.name))
    error_message = "DNS001 Not a host name: domain.name \"${var.config.domain.name}\". Lower case, without scheme, port or path."
  }
  validation {
    condition     = var.config.domain.hosted_zone_id == "none" || can(regex("^Z?[A-Z0-9]{1,32}$", var.config.domain.hosted_zone_id))
    error_message = "DNS003 Not the id of a hosted zone: \"${var.config.domain.hosted_zone_id}\"."
  }
  validation {
    condition     = can(regex("^https://[^\\s/?#<>]+[^\\s?#<>]*$", var.config.app.oauth.issuer))
    error_message = "OAU002 The issuer is not an https URL of an identity provider: \"${var.config.app.oauth.issuer}\"."
  }
  # The image's entrypoint passes these values through an unquoted shell expansion.
  validation {
    condition = alltrue([for value in [var.config.app.oauth.issuer, var.config.app.oauth.client_id, var.config.app.oauth.audience] :
    can(regex("^[^\\s*?\\[\\]$<>]+$", value))])
    error_message = "OAU001 The value does not survive the container's shell: app.oauth issuer, client_id and audience must not be empty nor contain white space, *, ?, [, ], $, < or >: OSMT's entrypoint passes them through a shell."
  }

  # Edge
  validation {
    condition = can(regex(
      "^arn:aws[a-z-]*:acm:${var.config.region}:${var.config.account_id}:certificate/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.config.alb.certificate_arn
    ))
    error_message = "ID003, ID004 The certificate is not named by the ARN of an ACM certificate, or is in another partition, region or account: the load balancer is in ${var.config.region} of ${var.config.account_id}."
  }
  validation {
    condition     = length(var.config.alb.ingress_cidrs) > 0 && alltrue([for cidr in var.config.alb.ingress_cidrs : can(cidrnetmask(cidr)) || (can(cidrhost(cidr, 0)) && strcontains(cidr, ":"))])
    error_message = "ALB001, ALB002 An ingress block is not in the form that AWS takes, or the list is empty. A block has its prefix length, such as 203.0.113.0/24."
  }

  # Compute
  validation {
    condition = alltrue([for task in var.config.ecs.task : contains(flatten([for size in [
      { cpu = 256, memory = [512, 1024, 2048] },
      { cpu = 512, memory = range(1024, 4097, 1024) },
      { cpu = 1024, memory = range(2048, 8193, 1024) },
      { cpu = 2048, memory = range(4096, 16385, 1024) },
      { cpu = 4096, memory = range(8192, 30721, 1024) },
      { cpu = 8192, memory = range(16384, 61441, 4096) },
      { cpu = 16384, memory = range(32768, 122881, 8192) },
    ] : [for memory in size.memory : "${size.cpu}/${memory}"]]), "${task.cpu}/${task.memory}")])
    error_message = "ECS001, ECS002 Fargate has no task of this CPU size, or this memory does not go with this CPU: ${join(", ", [for name, task in var.config.ecs.task : "${name} ${task.cpu} CPU units with ${task.memory} MiB"])}. 2048 CPU units, for one, take 4096 to 16384 MiB in steps of 1024."
  }
  validation {
    condition     = alltrue([for task in var.config.ecs.task : contains(["X86_64", "ARM64"], task.cpu_architecture)])
    error_message = "ecs.task.*.cpu_architecture must be X86_64 or ARM64."
  }
  validation {
    condition     = alltrue([for name in concat(keys(var.config.app.extra_environment), var.config.app.extra_secrets) : can(regex("^[A-Z][A-Z0-9_]*$", name))]) && length(setintersection(keys(var.config.app.extra_environment), var.config.app.extra_secrets)) == 0
    error_message = "app.extra_environment and app.extra_secrets must be names of environment variables (capital letters, digits and _), each in only one of the two."
  }
  validation {
    condition     = var.config.app.version == null || can(regex("^[0-9]+\\.[0-9]+(\\.[0-9]+)?([-+][0-9A-Za-z.-]+)?$", var.config.app.version))
    error_message = "app.version must be a version of OSMT, such as 3.0.0."
  }
  validation {
    condition     = var.config.ecs.task.app.desired_count >= 1 && floor(var.config.ecs.task.app.desired_count) == var.config.ecs.task.app.desired_count
    error_message = "ECS004 No task would run: ecs.task.app.desired_count must be a whole number, 1 or more."
  }
  validation {
    condition     = var.config.ecs.task.elasticsearch.desired_count == 1
    error_message = "ECS005 More than one Elasticsearch task, or none: two would be two separate indexes on one file system."
  }
  validation {
    condition = alltrue([for task in var.config.ecs.task :
    can(regex("^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$", task.docker_image)) && !can(regex(":[^/]*$", task.docker_image))])
    error_message = "IMG001 Not the name of an image (without tag or digest): ${join(", ", [for task in var.config.ecs.task : task.docker_image])}."
  }
  validation {
    condition     = alltrue([for task in var.config.ecs.task : can(regex("^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|sha256:[0-9a-f]{64})$", task.docker_tag)) && task.docker_tag != "latest"])
    error_message = "IMG002, IMG003 Neither a tag nor a digest, or a tag that means another image tomorrow: ${join(", ", [for task in var.config.ecs.task : task.docker_tag])}."
  }

  # Data
  validation {
    condition     = var.config.rds.db_name == "osmt_db"
    error_message = "RDS001 The database is not called osmt_db: OSMT's first migration says USE osmt_db."
  }
  validation {
    condition     = can(regex("^8\\.[0-9]+(\\.[0-9]+(-rds\\.[0-9]{8})?)?$", var.config.rds.engine_version))
    error_message = "RDS002 Not a MySQL version that OSMT and RDS can use together: \"${var.config.rds.engine_version}\"."
  }
  validation {
    condition     = var.config.rds.parameter_group_family == "mysql${join(".", slice(concat(split(".", var.config.rds.engine_version), ["", ""]), 0, 2))}"
    error_message = "RDS003 The parameter group's family is not the engine version's: ${var.config.rds.parameter_group_family}, ${var.config.rds.engine_version}."
  }
  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.config.rds.instance_class))
    error_message = "RDS004 RDS has no such instance class: \"${var.config.rds.instance_class}\"."
  }
  validation {
    condition     = var.config.rds.allocated_storage >= 20 && var.config.rds.allocated_storage <= 65536
    error_message = "RDS005 Storage is 20 to 65536 GiB."
  }
  validation {
    condition     = var.config.rds.backup_retention_days >= 0 && var.config.rds.backup_retention_days <= 35
    error_message = "RDS006 Backups are kept 0 to 35 days."
  }
  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.config.elasticache.node_type)) && !can(regex("^cache\\.(t1|m1)\\.", var.config.elasticache.node_type))
    error_message = "RED003 ElastiCache has no such node type, or it has no failover (t1, m1): \"${var.config.elasticache.node_type}\"."
  }
  validation {
    condition = (
      startswith(var.config.elasticache.parameter_group_name, "default.") ?
      var.config.elasticache.parameter_group_name == (startswith(var.config.elasticache.engine_version, "6.") ? "default.redis6.x" : "default.redis${split(".", var.config.elasticache.engine_version)[0]}") : true
    )
    error_message = "RED002 The parameter group is not the Redis version's: ${var.config.elasticache.parameter_group_name}, ${var.config.elasticache.engine_version}."
  }

  # Network
  validation {
    condition     = length(var.config.vpc.azs) >= 2 && length(distinct(var.config.vpc.azs)) == length(var.config.vpc.azs) && length(var.config.vpc.azs) <= 6
    error_message = "NET005, NET007 Fewer than two zones, or the same zone is listed twice."
  }
  validation {
    condition     = alltrue([for zone in var.config.vpc.azs : can(regex("^${var.config.region}[a-z]$", zone))])
    error_message = "NET006 Not an availability zone of the region: each is ${var.config.region} and a letter."
  }
  validation {
    condition     = length(var.config.vpc.azs) == length(var.config.vpc.subnets.private) && length(var.config.vpc.azs) == length(var.config.vpc.subnets.public)
    error_message = "NET004 Zones, private and public subnets are not equally many: ${length(var.config.vpc.azs)}, ${length(var.config.vpc.subnets.private)} and ${length(var.config.vpc.subnets.public)}."
  }
  validation {
    condition = alltrue([for block in concat([var.config.vpc.vpc_cidr], var.config.vpc.subnets.private, var.config.vpc.subnets.public) :
    can(cidrnetmask(block)) && try(cidrsubnet(block, 0, 0) == block && tonumber(split("/", block)[1]) >= 16 && tonumber(split("/", block)[1]) <= 28, false)])
    error_message = "NET001, NET002 A network block is not in the form that AWS takes: IPv4, /16 to /28, no bit set behind the prefix."
  }
  validation {
    condition     = alltrue([for block in var.config.vpc.subnets.public : try(tonumber(split("/", block)[1]) <= 27, true)])
    error_message = "NET010 A public subnet is too small for the load balancer: it needs a /27 or larger in every zone."
  }
  validation {
    condition = alltrue([for block in concat(var.config.vpc.subnets.private, var.config.vpc.subnets.public) : try(
      tonumber(split("/", block)[1]) >= tonumber(split("/", var.config.vpc.vpc_cidr)[1]) &&
    cidrhost("${split("/", block)[0]}/${split("/", var.config.vpc.vpc_cidr)[1]}", 0) == cidrhost(var.config.vpc.vpc_cidr, 0), true)])
    error_message = "NET003 A subnet is outside the VPC ${var.config.vpc.vpc_cidr}."
  }
  # Two blocks overlap if they have the same bits in the shorter prefix.
  validation {
    condition = alltrue([for pair in setproduct(
      [for i, block in concat(var.config.vpc.subnets.private, var.config.vpc.subnets.public) : { i = i, ip = split("/", block)[0], bits = try(tonumber(split("/", block)[1]), 0) }],
      [for i, block in concat(var.config.vpc.subnets.private, var.config.vpc.subnets.public) : { i = i, ip = split("/", block)[0], bits = try(tonumber(split("/", block)[1]), 0) }],
    ) : pair[0].i >= pair[1].i || try(cidrhost("${pair[0].ip}/${min(pair[0].bits, pair[1].bits)}", 0) != cidrhost("${pair[1].ip}/${min(pair[0].bits, pair[1].bits)}", 0), true)])
    error_message = "NET009 Two subnets overlap."
  }

  # Other
  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.config.log_retention_days)
    error_message = "LOG001 CloudWatch Logs does not know this retention: ${var.config.log_retention_days} (…, 14, 30, 60, 90, …; 0 keeps for ever)."
  }
  validation {
    condition     = var.config.secrets_revision >= 1 && floor(var.config.secrets_revision) == var.config.secrets_revision
    error_message = "REV001 The secrets' revision does not count from 1."
  }
}

variable "database_credentials" {
  description = "User name and password of the database, from the secret osmt/<env>/rds. They are ephemeral, so they are not in the state or a plan."
  nullable    = false
  ephemeral   = true
  sensitive   = true

  type = object({
    username = string
    password = string
  })

  # Another user name would replace the database and delete its data.
  validation {
    condition     = var.database_credentials.username == local.database_username
    error_message = "The user name in the secret osmt/${var.config.env}/rds is missing, or is not ${local.database_username}. Correct it with osmt-secrets push."
  }
  # RDS accepts 8 to 41 characters; OSMT's entrypoint, Spring and JDBC interpret most punctuation.
  validation {
    condition     = can(regex("^[A-Za-z0-9_.~-]{8,41}$", var.database_credentials.password))
    error_message = "The password in the secret osmt/${var.config.env}/rds is missing, or is not 8 to 41 of the characters A-Z a-z 0-9 _ . ~ -. Other characters are changed by a shell, Spring or JDBC. Generate another with osmt-secrets generate rds/password, then osmt-secrets push."
  }
}

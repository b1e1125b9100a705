variable "config" {
  description = "The deployment, from config.auto.tfvars.json. osmt-doctor check reports every mistake with its position."
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

  # Terraform silently ignores keys that are not in the type. This validation compares the file's keys with the type's keys, down to
  # the deepest level (ecs.task.app.cpu). The module validates the values.
  validation {
    condition = length(setsubtract(
      try(flatten([for a, in_a in jsondecode(file("${path.root}/config.auto.tfvars.json")).config : [
        a, try([for b, in_b in in_a : [
          "${a}.${b}", try([for c, in_c in in_b : [
            "${a}.${b}.${c}", try([for d, in_d in in_c : "${a}.${b}.${c}.${d}"], []),
          ]], []),
        ]], []),
      ]]), []),
      flatten([for a, in_a in var.config : [
        a, try([for b, in_b in in_a : [
          "${a}.${b}", try([for c, in_c in in_b : [
            "${a}.${b}.${c}", try([for d, in_d in in_c : "${a}.${b}.${c}.${d}"], []),
          ]], []),
        ]], []),
      ]]),
    )) == 0
    error_message = "config.auto.tfvars.json contains an unknown key. osmt-doctor check shows it."
  }
}

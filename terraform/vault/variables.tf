variable "account_id" {
  description = "The AWS account of the vault, 12 digits."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits."
  }
}

variable "region" {
  description = "The AWS Region of the vault."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.region)) && !can(regex("^(cn|eusc|us-iso[a-z]?|eu-iso[a-z]?)-", var.region))
    error_message = "region must be an AWS Region, such as us-west-2."
  }
}

variable "name" {
  description = "The vault's name, the value of operations.backup.vault_name of the stack."
  type        = string
  nullable    = false
  default     = "osmt-backups"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{2,50}$", var.name))
    error_message = "name must be 2 to 50 letters, digits, hyphens and underscores."
  }
}

variable "min_retention_days" {
  description = "The minimum retention of recovery points in days. operations.backup.keep_days must not be less."
  type        = number
  nullable    = false
  default     = 7
}

variable "max_retention_days" {
  description = "The maximum retention of recovery points in days, at most 36500. operations.backup.keep_days must not be more."
  type        = number
  nullable    = false
  default     = 400

  validation {
    condition     = var.min_retention_days >= 1 && var.max_retention_days >= var.min_retention_days && var.max_retention_days <= 36500
    error_message = "min_retention_days is 1 or more, and max_retention_days is between it and 36500."
  }
}

variable "changeable_for_days" {
  description = "Days, 3 or more, after which the lock can never be removed (compliance mode). Governance mode if null."
  type        = number
  default     = null

  validation {
    condition     = var.changeable_for_days == null || try(var.changeable_for_days >= 3, false)
    error_message = "changeable_for_days is 3 or more: AWS Backup accepts no shorter period."
  }
}

variable "copies_from" {
  description = "Other accounts of the organisation that may copy recovery points into this vault."
  type        = set(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for account in var.copies_from : can(regex("^[0-9]{12}$", account))])
    error_message = "copies_from must be account ids of 12 digits."
  }
}

variable "administrator_arns" {
  description = "ARNs of roles, with * as wildcard, that may change the vault's policy and delete recovery points that are not protected by a compliance lock. Include your own role, or you cannot change this policy again."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.administrator_arns) > 0 && alltrue([for arn in var.administrator_arns : can(regex("^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:", arn))])
    error_message = "administrator_arns must name at least one role or user by its ARN."
  }
}

# Rendered by osmt-bootstrap init, which asks before it changes this file. It contains no secret and no personal path, so it can be committed.
terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Without `encrypt`, which would encrypt the state with SSE-S3 instead of the bucket's default KMS key.
  backend "s3" {
    bucket              = "{{ bucket }}"
    key                 = "{{ key }}"
    region              = "{{ region }}"
    allowed_account_ids = ["{{ account_id }}"]
    dynamodb_table      = "{{ lock_table }}"
    use_lockfile        = {{ use_lockfile }}
    profile             = "{{ profile }}"
    assume_role         = { role_arn = "{{ assume_role }}" }
  }
}

provider "aws" {
  region              = "{{ region }}"
  profile             = "{{ profile }}"
  allowed_account_ids = ["{{ account_id }}"]
  assume_role { role_arn = "{{ assume_role }}" }

  default_tags {
    tags = {
      Application = "osmt"
      Environment = "{{ env }}"
      Deployment  = "{{ deployment }}"
      ManagedBy   = "terraform"
    }
  }
}

module "osmt" {
  source = "../module"

  config               = var.config
  database_credentials = local.database_credentials
  operations           = local.operations
}

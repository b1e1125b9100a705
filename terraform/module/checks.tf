# Warnings about configurations that can be applied but are not advisable in production. The doctor has the same rules.
# src/deployment/environment.rs has the same patterns for production; tests/production.rs compares them.
locals {
  production = can(regex("(^|-)(prod[0-9]*|production|prd|live)(-|$)", var.config.env)) && !can(regex("(^|-)(pre|non|not|no|like)(-|$)", var.config.env))
}

check "production_survives_a_task" {
  assert {
    condition     = !local.production || var.config.ecs.task.app.desired_count >= 2
    error_message = "ECS006 One app task in production: each failure of it is an outage."
  }
}

check "production_survives_a_zone" {
  assert {
    condition     = !local.production || var.config.rds.multi_az
    error_message = "RDS008 The production database is in one zone: when that fails, the database is gone until AWS repairs it."
  }

  assert {
    condition     = !local.production || local.cache_size >= 2
    error_message = "operations.cache_nodes is 1 in production: if its Availability Zone fails, all users are signed out and cannot sign in."
  }

  assert {
    condition     = !local.production || var.operations.nat_gateways == "one_per_zone"
    error_message = "operations.nat_gateways is single in production: if its Availability Zone fails, no task can reach the OAuth issuer."
  }
}

check "production_runs_at_night" {
  assert {
    condition     = !local.production || var.operations.schedule == null
    error_message = "operations.schedule stops production every night."
  }
}

check "backups_outlive_the_stack" {
  assert {
    condition     = !local.production || var.operations.backup != null
    error_message = "operations.backup is not set in production: an administrator of this account can delete the automated backups and snapshots. docs/terraform.md describes a vault that prevents this."
  }
}

check "database_can_be_restored" {
  assert {
    condition     = var.config.rds.backup_retention_days > 0
    error_message = "RDS007 Automatic backups are off: the database cannot be restored to a point in time."
  }

  assert {
    condition     = !local.production || (var.config.rds.enable_deletion_protection && !var.config.rds.skip_final_snapshot)
    error_message = "RDS009 The production database can be deleted without a trace: it is unprotected, or leaves no final snapshot."
  }
}

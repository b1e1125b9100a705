# What can be applied but should not be left so. A check warns and does not stop; the doctor's rules say the same.
locals {
  production = can(regex("^(prod|production|live)(-|$)", var.config.env))
}

check "production_survives_a_task" {
  assert {
    condition     = !local.production || var.config.ecs.task.app.desired_count >= 2
    error_message = "ecs.task.app.desired_count is 1 in production: each failure of that task is an outage."
  }
}

check "production_survives_a_zone" {
  assert {
    condition     = !local.production || var.config.rds.multi_az
    error_message = "rds.multi_az is false in production: when the zone fails, the database is gone until AWS repairs it."
  }

  assert {
    condition     = !local.production || var.operations.nat_gateways == "one_per_zone"
    error_message = "operations.nat_gateways is single in production: when its zone fails, no zone reaches the OAuth issuer."
  }
}

check "database_can_be_restored" {
  assert {
    condition     = var.config.rds.backup_retention_days > 0
    error_message = "rds.backup_retention_days is 0: there are no backups, and no way back to a point in time."
  }

  assert {
    condition     = !(var.config.rds.enable_deletion_protection && var.config.rds.skip_final_snapshot)
    error_message = "rds.skip_final_snapshot is true while the database is protected: nothing would be left of it after its destruction."
  }
}

# Every mistake in operations that the plan refuses, one run each, and every warning about it.
mock_provider "aws" {
  source = "./tests/mocks"
}

run "private_subnet_missing" {
  command = plan

  variables {
    operations = { existing_network = { vpc_id = "vpc-0existing", private_subnet_ids = ["subnet-0privatea"], public_subnet_ids = ["subnet-0publica", "subnet-0publicb"] } }
  }

  expect_failures = [var.operations]
}

run "no_public_subnets_for_a_public_load_balancer" {
  command = plan

  variables {
    operations = { existing_network = { vpc_id = "vpc-0existing", private_subnet_ids = ["subnet-0privatea", "subnet-0privateb"] } }
  }

  expect_failures = [var.operations]
}

run "two_web_acls" {
  command = plan

  variables {
    operations = { waf = {}, web_acl_arn = "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/own/12345678-90ab-cdef-1234-567890abcdef" }
  }

  expect_failures = [var.operations]
}

run "rate_limit_too_low" {
  command = plan

  variables {
    operations = { waf = { rate_limit = 5 } }
  }

  expect_failures = [var.operations]
}

run "rule_group_not_of_aws" {
  command = plan

  variables {
    operations = { waf = { managed_rules = ["OurOwnRules"] } }
  }

  expect_failures = [var.operations]
}

run "schedule_of_five_fields" {
  command = plan

  variables {
    operations = { schedule = { stop = "cron(0 19 ? * MON-FRI)", start = "cron(0 7 ? * MON-FRI *)" } }
  }

  expect_failures = [var.operations]
}

run "copy_to_a_vault_name" {
  command = plan

  variables {
    operations = { backup = { vault_name = "osmt-backups", copy_to = { osmt-backups = 30 } } }
  }

  expect_failures = [var.operations]
}

run "copy_to_another_account_under_the_key_of_aws" {
  command = plan

  variables {
    operations = { backup = { vault_name = "osmt-backups", copy_to = { "arn:aws:backup:us-west-2:210987654321:backup-vault:osmt-backups" = 30 } } }
  }

  expect_failures = [var.operations]
}

run "key_alias_for_the_database" {
  command = plan

  variables {
    operations = { database_kms_key_arn = "arn:aws:kms:us-west-2:123456789012:alias/osmt" }
  }

  expect_failures = [var.operations]
}

run "snapshot_and_point_in_time" {
  command = plan

  variables {
    operations = { restore_from_snapshot = "osmt-test-final", restore_to_point_in_time = { source_db_instance_identifier = "osmt-test" } }
  }

  expect_failures = [var.operations]
}

run "point_in_time_of_two_sources" {
  command = plan

  variables {
    operations = { restore_to_point_in_time = { source_db_instance_identifier = "osmt-test", source_dbi_resource_id = "db-ABCDEFGHIJKLMNOP" } }
  }

  expect_failures = [var.operations]
}

run "point_in_time_without_a_time_zone" {
  command = plan

  variables {
    operations = { restore_to_point_in_time = { source_db_instance_identifier = "osmt-test", restore_time = "2026-11-22 06:30" } }
  }

  expect_failures = [var.operations]
}

run "production_stopped_at_night" {
  command = plan

  variables {
    config     = merge(var.config, { env = "prod" })
    operations = { schedule = { stop = "cron(0 19 ? * * *)", start = "cron(0 7 ? * * *)" }, backup = { vault_name = "osmt-backups" } }
  }

  expect_failures = [check.production_runs_at_night]
}

run "production_without_a_vault" {
  command = plan

  variables {
    config = merge(var.config, { env = "prod" })
  }

  expect_failures = [check.backups_outlive_the_stack]
}

run "windows_overlap" {
  command = plan

  variables {
    operations = { windows = { backup = "09:00-10:00" } }
  }

  expect_failures = [aws_db_instance.main]
}

run "windows_overlap_on_another_day" {
  command = plan

  variables {
    operations = { windows = { backup = "23:30-00:30", maintenance = "tue:00:00-tue:01:00" } }
  }

  expect_failures = [aws_db_instance.main]
}

run "windows_overlap_over_the_end_of_the_week" {
  command = plan

  variables {
    operations = { windows = { snapshot = "00:10-01:10", maintenance = "sun:23:30-mon:00:30" } }
  }

  expect_failures = [aws_db_instance.main]
}

run "maintenance_within_the_backup" {
  command = plan

  variables {
    operations = { windows = { backup = "02:00-08:00", snapshot = "12:00-13:00", maintenance = "wed:03:00-wed:04:00" } }
  }

  expect_failures = [aws_db_instance.main]
}

run "window_without_a_day" {
  command = plan

  variables {
    operations = { windows = { maintenance = "09:30-10:30" } }
  }

  expect_failures = [var.operations]
}

run "window_with_a_day_too_many" {
  command = plan

  variables {
    operations = { windows = { backup = "mon:08:00-mon:09:00" } }
  }

  expect_failures = [var.operations]
}

run "window_too_short" {
  command = plan

  variables {
    operations = { windows = { backup = "08:00-08:20" } }
  }

  expect_failures = [aws_db_instance.main]
}

run "window_of_25_hours" {
  command = plan

  variables {
    operations = { windows = { snapshot = "24:00-25:00" } }
  }

  expect_failures = [var.operations]
}

run "backup_in_the_window_of_rds" {
  command = plan

  variables {
    operations = { backup = { vault_name = "osmt-backups", schedule = "cron(30 7 * * ? *)" } }
  }

  expect_failures = [aws_db_instance.main]
}

run "budget_of_nothing" {
  command = plan

  variables {
    operations = { monthly_budget_usd = 0 }
  }

  expect_failures = [var.operations]
}

run "autoscaling_at_zero" {
  command = plan

  variables {
    operations = { autoscaling = { cpu_percent = 0 } }
  }

  expect_failures = [var.operations]
}

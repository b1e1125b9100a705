# The patterns of the event rules are those of events.json, against which scripts/emulator/tests/test_events.py matches events.
mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target          = aws_ecs_cluster.main
  override_during = plan
  values          = { arn = "arn:aws:ecs:us-west-2:123456789012:cluster/osmt-test" }
}

run "patterns_that_were_matched_against_events" {
  command = plan

  assert {
    condition = { for name, rule in {
      task_failed       = aws_cloudwatch_event_rule.task_failed
      deployment_failed = aws_cloudwatch_event_rule.deployment_failed
      service_trouble   = aws_cloudwatch_event_rule.service_trouble
    } : name => jsonencode(jsondecode(rule.event_pattern)) } == { for name, pattern in jsondecode(file("tests/events.json")).patterns : name => jsonencode(pattern) }
    error_message = "An event rule has another pattern than tests/events.json."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.main["task-restarts"].dimensions.RuleName == aws_cloudwatch_event_rule.task_failed.name && aws_cloudwatch_metric_alarm.main["task-restarts"].metric_name == "TriggeredRules"
    error_message = "The alarm on restarts must count what the rule matches."
  }
}

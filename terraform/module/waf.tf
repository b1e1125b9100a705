# A web ACL with AWS's managed rules, only with operations.waf. For a load balancer AWS WAF inspects the first 8 KB of a body, and the
# common rules block larger bodies ("Baseline rule groups" in the AWS WAF Developer Guide). OSMT sends an uploaded CSV file as JSON to
# /api, in bodies of any size and with text that looks like markup or SQL. So the rules for bodies only count and label requests, and
# additional rules block the labelled requests outside /api.
locals {
  waf_body_rules = {
    AWSManagedRulesCommonRuleSet = {
      SizeRestrictions_BODY   = "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
      CrossSiteScripting_BODY = "awswaf:managed:aws:core-rule-set:CrossSiteScripting_Body"
      GenericRFI_BODY         = "awswaf:managed:aws:core-rule-set:GenericRFI_Body"
      EC2MetaDataSSRF_BODY    = "awswaf:managed:aws:core-rule-set:EC2MetaDataSSRF_Body"
    }
    AWSManagedRulesSQLiRuleSet = {
      SQLi_BODY = "awswaf:managed:aws:sql-database:SQLi_Body"
    }
  }
  waf_groups = try(var.operations.waf.managed_rules, [])
  waf_labels = flatten([for group in local.waf_groups : values(lookup(local.waf_body_rules, group, {}))])
}

resource "aws_wafv2_web_acl" "main" {
  #checkov:skip=CKV_AWS_192:AWSManagedRulesKnownBadInputsRuleSet is one of the default rule groups; checkov does not read the dynamic block
  count = var.operations.waf == null ? 0 : 1

  name        = local.name
  description = "Managed rules and a rate limit before ${local.name}"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  # Per IP address, in five minutes. A campus behind one address needs a higher limit.
  rule {
    name     = "rate-limit"
    priority = 0

    action {
      dynamic "block" {
        for_each = var.operations.waf.count_only ? [] : [true]
        content {}
      }
      dynamic "count" {
        for_each = var.operations.waf.count_only ? [true] : []
        content {}
      }
    }

    statement {
      rate_based_statement {
        limit              = var.operations.waf.rate_limit
        aggregate_key_type = "IP"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${local.name}-rate-limit"
      sampled_requests_enabled   = false
    }
  }

  dynamic "rule" {
    for_each = { for i, group in local.waf_groups : group => i + 1 }
    content {
      name     = rule.key
      priority = rule.value

      override_action {
        dynamic "none" {
          for_each = var.operations.waf.count_only ? [] : [true]
          content {}
        }
        dynamic "count" {
          for_each = var.operations.waf.count_only ? [true] : []
          content {}
        }
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "rule_action_override" {
            for_each = keys(lookup(local.waf_body_rules, rule.key, {}))
            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${local.name}-${rule.key}"
        sampled_requests_enabled   = false
      }
    }
  }

  dynamic "rule" {
    for_each = toset(local.waf_labels)
    content {
      name     = "outside-api-${element(split(":", rule.value), 4)}"
      priority = 100 + index(local.waf_labels, rule.value)

      action {
        dynamic "block" {
          for_each = var.operations.waf.count_only ? [] : [true]
          content {}
        }
        dynamic "count" {
          for_each = var.operations.waf.count_only ? [true] : []
          content {}
        }
      }

      statement {
        and_statement {
          statement {
            label_match_statement {
              scope = "LABEL"
              key   = rule.value
            }
          }
          statement {
            not_statement {
              statement {
                byte_match_statement {
                  search_string         = "/api/"
                  positional_constraint = "STARTS_WITH"

                  field_to_match {
                    uri_path {}
                  }

                  text_transformation {
                    priority = 0
                    type     = "NORMALIZE_PATH"
                  }
                }
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${local.name}-outside-api-${element(split(":", rule.value), 4)}"
        sampled_requests_enabled   = false
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.name
    # Samples would contain tokens in URLs.
    sampled_requests_enabled = false
  }

  tags = { Name = local.name }
}

# AWS WAF requires that the name of the log group begins with aws-waf-logs-.
resource "aws_cloudwatch_log_group" "waf" {
  count = var.operations.waf == null ? 0 : 1

  name              = "aws-waf-logs-${local.name}"
  retention_in_days = var.config.log_retention_days
  kms_key_id        = aws_kms_key.main.arn

  tags = { Name = "aws-waf-logs-${local.name}" }
}

# Logs only blocked and counted requests, without tokens and cookies. After a sign-in OSMT has a token in the query string.
resource "aws_wafv2_web_acl_logging_configuration" "main" {
  count = var.operations.waf == null ? 0 : 1

  resource_arn            = aws_wafv2_web_acl.main[0].arn
  log_destination_configs = [aws_cloudwatch_log_group.waf[0].arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }
  redacted_fields {
    single_header {
      name = "cookie"
    }
  }
  redacted_fields {
    query_string {}
  }

  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
      condition {
        action_condition {
          action = "COUNT"
        }
      }
    }
  }
}

locals {
  # Without a hosted zone the domain's DNS is managed elsewhere: no record is created, and the output dns_record contains it.
  has_hosted_zone = var.config.domain.hosted_zone_id != "none"
}

data "aws_route53_zone" "main" {
  count = local.has_hosted_zone ? 1 : 0

  zone_id = var.config.domain.hosted_zone_id
}

# AAAA only if the load balancer has IPv6: otherwise browsers would first try an IPv6 address that does not answer.
resource "aws_route53_record" "app" {
  for_each = toset(!local.has_hosted_zone ? [] : local.dualstack ? ["A", "AAAA"] : ["A"])

  zone_id = data.aws_route53_zone.main[0].zone_id
  name    = var.config.domain.name
  type    = each.key

  alias {
    name                   = aws_lb.main.dns_name
    zone_id                = aws_lb.main.zone_id
    evaluate_target_health = true
  }

  lifecycle {
    precondition {
      condition = (
        var.config.domain.name == data.aws_route53_zone.main[0].name ||
        endswith(var.config.domain.name, ".${data.aws_route53_zone.main[0].name}")
      )
      error_message = "config.domain.name is not in the hosted zone ${data.aws_route53_zone.main[0].name} of config.domain.hosted_zone_id."
    }
  }
}

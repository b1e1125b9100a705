resource "aws_lb" "main" {
  #checkov:skip=CKV2_AWS_76:OSMT 3.0.0 ships Log4j 2.17.1, which is not vulnerable; the organisation decides about a web ACL and its rules
  #checkov:skip=CKV2_AWS_28:the organisation decides about a web ACL (operations.web_acl_arn, operations.waf); AWS's common rules block OSMT's CSV uploads
  name                       = local.name
  load_balancer_type         = "application"
  internal                   = var.operations.internal_load_balancer
  ip_address_type            = local.dualstack ? "dualstack" : "ipv4"
  security_groups            = [aws_security_group.alb.id]
  subnets                    = var.operations.internal_load_balancer ? local.private_subnet_ids : local.public_subnet_ids
  enable_deletion_protection = var.config.alb.enable_deletion_protection
  drop_invalid_header_fields = true
  idle_timeout               = var.operations.idle_timeout

  dynamic "access_logs" {
    for_each = aws_s3_bucket.access_logs
    content {
      bucket  = access_logs.value.id
      enabled = true
    }
  }

  tags = { Name = local.name }

  # Turning on logging fails without the bucket policy.
  depends_on = [aws_s3_bucket_policy.access_logs, aws_internet_gateway.main]
}

# The health check requests the front page: it returns 200 once Spring has started, and does not use Redis, MySQL or
# Elasticsearch. /health depends on all three, so an outage of Elasticsearch would make ECS stop all tasks of the app.
resource "aws_lb_target_group" "app" {
  name                 = local.name
  port                 = local.ports.app
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = local.vpc_id
  deregistration_delay = var.operations.deregistration_delay

  health_check {
    path                = "/"
    port                = "traffic-port"
    protocol            = "HTTP"
    matcher             = "200"
    interval            = 15
    timeout             = 10
    healthy_threshold   = 2
    unhealthy_threshold = 4
  }

  tags = { Name = local.name }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.main.arn
  port              = local.ports.http
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = local.ports.https
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }

  tags = { Name = "${local.name}-http" }
}

resource "aws_lb_listener" "https" {
  #checkov:skip=CKV_AWS_103:the policy is a variable whose validation refuses policies with TLS 1.0 or 1.1
  load_balancer_arn = aws_lb.main.arn
  port              = local.ports.https
  protocol          = "HTTPS"
  ssl_policy        = var.operations.ssl_policy
  certificate_arn   = var.config.alb.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }

  tags = { Name = "${local.name}-https" }
}

# The dashboard of the job queue is off in the app (RQUEUE_WEB_ENABLE), and the load balancer does not forward requests for it.
resource "aws_lb_listener_rule" "no_job_queue" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 1

  condition {
    path_pattern {
      values = ["/rqueue", "/rqueue/*"]
    }
  }

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "Not found"
      status_code  = "404"
    }
  }

  tags = { Name = "${local.name}-no-job-queue" }
}

# The organisation's own web ACL, or the one of waf.tf.
resource "aws_wafv2_web_acl_association" "main" {
  count = var.operations.web_acl_arn == null && var.operations.waf == null ? 0 : 1

  resource_arn = aws_lb.main.arn
  web_acl_arn  = coalesce(var.operations.web_acl_arn, one(aws_wafv2_web_acl.main[*].arn))
}

# One group for each role. Rules refer to groups; only the load balancer's ingress and egress to the Internet (OAuth issuer, image
# registries, AWS) use address ranges.
resource "aws_security_group" "alb" {
  name        = "${local.name}-alb"
  description = "Load balancer of ${local.name}"
  vpc_id      = local.vpc_id

  tags = { Name = "${local.name}-alb" }
}

resource "aws_security_group" "app" {
  name        = "${local.name}-app"
  description = "OSMT tasks of ${local.name}: the app and its maintenance"
  vpc_id      = local.vpc_id

  tags = { Name = "${local.name}-app" }
}

resource "aws_security_group" "elasticsearch" {
  name        = "${local.name}-elasticsearch"
  description = "Elasticsearch task of ${local.name}"
  vpc_id      = local.vpc_id

  tags = { Name = "${local.name}-elasticsearch" }
}

resource "aws_security_group" "efs" {
  name        = "${local.name}-efs"
  description = "File system of Elasticsearch of ${local.name}"
  vpc_id      = local.vpc_id

  tags = { Name = "${local.name}-efs" }
}

resource "aws_security_group" "rds" {
  name        = "${local.name}-rds"
  description = "Database of ${local.name}"
  vpc_id      = local.vpc_id

  tags = { Name = "${local.name}-rds" }
}

resource "aws_security_group" "elasticache" {
  name        = "${local.name}-elasticache"
  description = "Session cache of ${local.name}"
  vpc_id      = local.vpc_id

  tags = { Name = "${local.name}-elasticache" }
}

resource "aws_security_group" "endpoints" {
  count = length(var.operations.interface_endpoints) > 0 ? 1 : 0

  name        = "${local.name}-endpoints"
  description = "Interface endpoints of ${local.name}"
  vpc_id      = local.vpc_id

  tags = { Name = "${local.name}-endpoints" }
}

locals {
  # Allowed connections. Each becomes an egress rule of one group and an ingress rule of the other.
  connections = merge(
    {
      alb-app           = { from = aws_security_group.alb.id, to = aws_security_group.app.id, port = local.ports.app, why = "requests and health checks" }
      app-elasticsearch = { from = aws_security_group.app.id, to = aws_security_group.elasticsearch.id, port = local.ports.elasticsearch, why = "search and index" }
      app-rds           = { from = aws_security_group.app.id, to = aws_security_group.rds.id, port = local.ports.mysql, why = "database" }
      app-elasticache   = { from = aws_security_group.app.id, to = aws_security_group.elasticache.id, port = local.ports.redis, why = "sessions and task queue" }
      elasticsearch-efs = { from = aws_security_group.elasticsearch.id, to = aws_security_group.efs.id, port = local.ports.nfs, why = "index files" }
    },
    length(aws_security_group.endpoints) == 0 ? {} : {
      app-endpoints           = { from = aws_security_group.app.id, to = aws_security_group.endpoints[0].id, port = local.ports.https, why = "AWS APIs" }
      elasticsearch-endpoints = { from = aws_security_group.elasticsearch.id, to = aws_security_group.endpoints[0].id, port = local.ports.https, why = "AWS APIs" }
    },
  )

  # HTTP is only redirected to HTTPS.
  admissions = { for pair in setproduct(local.ingress_cidrs, ["http", "https"]) :
    "${pair[1]} ${pair[0]}" => { cidr = pair[0], port = local.ports[pair[1]], why = pair[1] == "http" ? "redirected to HTTPS" : "HTTPS" }
  }
}

resource "aws_vpc_security_group_egress_rule" "connection" {
  for_each = local.connections

  security_group_id            = each.value.from
  referenced_security_group_id = each.value.to
  description                  = "${each.key}: ${each.value.why}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "connection" {
  for_each = local.connections

  security_group_id            = each.value.to
  referenced_security_group_id = each.value.from
  description                  = "${each.key}: ${each.value.why}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "public" {
  #checkov:skip=CKV_AWS_260:port 80 only redirects to HTTPS; config.alb.ingress_cidrs limits the addresses
  for_each = local.admissions

  security_group_id = aws_security_group.alb.id
  cidr_ipv4         = strcontains(each.value.cidr, ":") ? null : each.value.cidr
  cidr_ipv6         = strcontains(each.value.cidr, ":") ? each.value.cidr : null
  description       = each.value.why
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}

# The OAuth issuer may use another port than 443.
resource "aws_vpc_security_group_egress_rule" "internet" {
  for_each = merge(
    { for port in distinct(concat([local.ports.https], [for m in regexall("^https://[^/:]+:([0-9]+)", var.config.app.oauth.issuer) : tonumber(m[0])])) :
    "app-${port}" => { group = aws_security_group.app.id, port = port, why = "OAuth issuer, image registry, AWS APIs" } },
    { elasticsearch-443 = { group = aws_security_group.elasticsearch.id, port = local.ports.https, why = "image registry, AWS APIs" } },
  )

  security_group_id = each.value.group
  cidr_ipv4         = "0.0.0.0/0"
  description       = each.value.why
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}

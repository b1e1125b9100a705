# The single source of names, ports and sizes. Every other file refers to these.
locals {
  name = "osmt-${var.config.env}"
  # IAM roles and budgets have no region: two regions of one environment in one account need different names for them.
  global_name = var.operations.region_in_names ? "${local.name}-${var.config.region}" : local.name
  partition   = data.aws_partition.current.partition
  region      = var.config.region
  account     = var.config.account_id

  # One entry a zone, keyed by the zone's name, so that adding a zone moves no other one.
  zones = { for i, zone in var.config.vpc.azs : zone => {
    # By its letter, not by its place in the list: inserting a zone must not exchange the IPv6 blocks of the others.
    index   = index(split("", "abcdefghijklmnopqrstuvwxyz"), substr(zone, -1, 1))
    private = var.config.vpc.subnets.private[i]
    public  = var.config.vpc.subnets.public[i]
  } }

  # The network is created here (network.tf), or one that exists is used (existing_network.tf).
  own_network = var.operations.existing_network == null
  own_zones   = local.own_network ? local.zones : {}
  vpc_id      = local.own_network ? one(aws_vpc.main[*].id) : one(data.aws_vpc.existing[*].id)
  private_subnets = { for zone in var.config.vpc.azs :
  zone => local.own_network ? aws_subnet.private[zone].id : data.aws_subnet.existing["private ${zone}"].id }
  public_subnets = local.own_network ? { for zone, subnet in aws_subnet.public : zone => subnet.id } : {
    for zone in var.config.vpc.azs : zone => data.aws_subnet.existing["public ${zone}"].id if local.existing_public
  }
  private_subnet_ids = [for zone in var.config.vpc.azs : local.private_subnets[zone]]
  public_subnet_ids  = [for zone in var.config.vpc.azs : local.public_subnets[zone] if contains(keys(local.public_subnets), zone)]

  ports = {
    http          = 80
    https         = 443
    app           = 8080
    elasticsearch = 9200
    mysql         = 3306
    redis         = 6379
    nfs           = 2049
  }

  containers = {
    app           = "app"
    elasticsearch = "elasticsearch"
    maintenance   = "maintenance"
    scratch       = "scratch"
  }

  services = {
    app           = "${local.name}-app"
    elasticsearch = "${local.name}-elasticsearch"
    maintenance   = "${local.name}-maintenance"
  }

  log_groups = {
    app           = "/osmt/${var.config.env}/app"
    elasticsearch = "/osmt/${var.config.env}/elasticsearch"
    maintenance   = "/osmt/${var.config.env}/maintenance"
    exec          = "/osmt/${var.config.env}/exec"
    events        = "/osmt/${var.config.env}/events"
    flow          = "/osmt/${var.config.env}/flow"
    # RDS writes into groups of this name; made here so that they are encrypted and expire.
    rds_error     = "/aws/rds/instance/${local.name}/error"
    rds_slowquery = "/aws/rds/instance/${local.name}/slowquery"
    # Container Insights, likewise.
    insights = "/aws/ecs/containerinsights/${local.name}/performance"
  }

  # A tag is joined with a colon, a digest with an at sign.
  images = { for name, task in var.config.ecs.task :
    name => "${task.docker_image}${startswith(task.docker_tag, "sha256:") ? "@" : ":"}${task.docker_tag}"
  }

  secret_names = {
    rds    = "osmt/${var.config.env}/rds"
    app    = "osmt/${var.config.env}/app"
    db_uri = "osmt/${var.config.env}/db-uri"
    # Only where the config asks for them.
    elasticsearch = "osmt/${var.config.env}/elasticsearch"
    extra         = "osmt/${var.config.env}/extra"
  }

  # The database's first user is an identifier of the instance (changing it replaces the database), so it is fixed
  # here and the credentials handed in must agree with it.
  database_username = "osmt_admin"

  url = "https://${var.config.domain.name}"

  # Open to the Internet means both families; a list of networks means exactly those. An internal load balancer and an
  # existing network have IPv4 only: this module gives IPv6 blocks to its own public subnets alone.
  ipv6          = local.own_network && !var.operations.internal_load_balancer
  ingress_cidrs = concat(var.config.alb.ingress_cidrs, local.ipv6 && contains(var.config.alb.ingress_cidrs, "0.0.0.0/0") && !contains(var.config.alb.ingress_cidrs, "::/0") ? ["::/0"] : [])
  dualstack     = local.ipv6 && anytrue([for cidr in local.ingress_cidrs : strcontains(cidr, ":")])

  app_max_count = coalesce(var.operations.app_max_count, var.config.ecs.task.app.desired_count * 2)
}

data "aws_partition" "current" {}

# Every name and ARN in this module comes from the config. So the plan stops where the credentials are of another account
# or Region; everything that is created needs a name, but not everything needs these, so protection.tf depends on them too.
data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = self.account_id == var.config.account_id
      error_message = "The credentials belong to another account than config.account_id. Use a profile of the account that the config names."
    }
  }
}

data "aws_region" "current" {
  lifecycle {
    # `id` is the Region's name in versions 5 and 6 of the provider; `name` is deprecated in 6.
    postcondition {
      condition     = self.id == var.config.region
      error_message = "The provider works in another Region than config.region. Render main.tf again with osmt-bootstrap init."
    }
  }
}

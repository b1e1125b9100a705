# Names, ports and other values that several files use.
locals {
  name = "osmt-${var.config.env}"
  # IAM roles and budgets are global: two Regions of one environment in one account need different names.
  global_name = var.operations.region_in_names ? "${local.name}-${var.config.region}" : local.name
  partition   = data.aws_partition.current.partition
  region      = var.config.region
  account     = var.config.account_id

  # Keyed by the name of the Availability Zone, so that adding one does not change the others.
  zones = { for i, zone in var.config.vpc.azs : zone => {
    # The letter and not the position in the list, because adding a zone must not change the IPv6 blocks of the others.
    index   = index(split("", "abcdefghijklmnopqrstuvwxyz"), substr(zone, -1, 1))
    private = var.config.vpc.subnets.private[i]
    public  = var.config.vpc.subnets.public[i]
  } }

  # The network is created (network.tf), or an existing one is used (existing_network.tf).
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
    # RDS writes to log groups with these names. They are created here, so that they are encrypted and expire.
    rds_error     = "/aws/rds/instance/${local.name}/error"
    rds_slowquery = "/aws/rds/instance/${local.name}/slowquery"
    # The same for Container Insights.
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
    # Only if the config requires them.
    elasticsearch = "osmt/${var.config.env}/elasticsearch"
    extra         = "osmt/${var.config.env}/extra"
  }

  # Another user name would replace the database, so it is fixed. The user name in the secret must match.
  database_username = "osmt_admin"

  url = "https://${var.config.domain.name}"

  # 0.0.0.0/0 also means ::/0; other lists are used as they are. Only public subnets that this module creates have IPv6 blocks, so an
  # internal load balancer and an existing network have only IPv4.
  ipv6          = local.own_network && !var.operations.internal_load_balancer
  ingress_cidrs = concat(var.config.alb.ingress_cidrs, local.ipv6 && contains(var.config.alb.ingress_cidrs, "0.0.0.0/0") && !contains(var.config.alb.ingress_cidrs, "::/0") ? ["::/0"] : [])
  dualstack     = local.ipv6 && anytrue([for cidr in local.ingress_cidrs : strcontains(cidr, ":")])

  app_max_count = coalesce(var.operations.app_max_count, var.config.ecs.task.app.desired_count * 2)
}

data "aws_partition" "current" {}

# All names and ARNs come from the config, so the plan must stop if the credentials are for another account or Region. protection.tf
# depends on both data sources, so that they are read in every plan.
data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = self.account_id == var.config.account_id
      error_message = "The credentials are for another account than config.account_id. Use a profile for this account."
    }
  }
}

data "aws_region" "current" {
  lifecycle {
    # `id` is the Region's name in versions 5 and 6 of the provider; `name` is deprecated in 6.
    postcondition {
      condition     = self.id == var.config.region
      error_message = "The provider uses another Region than config.region. Run osmt-bootstrap init to render main.tf again."
    }
  }
}

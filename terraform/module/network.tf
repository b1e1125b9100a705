# One public and one private subnet in every Availability Zone of the config. Only the load balancer and the NAT gateways are in public
# subnets. With operations.existing_network nothing of this is created.
resource "aws_vpc" "main" {
  count = local.own_network ? 1 : 0

  cidr_block                       = var.config.vpc.vpc_cidr
  assign_generated_ipv6_cidr_block = true
  enable_dns_hostnames             = true
  enable_dns_support               = true

  tags = { Name = local.name }
}

# The default security group has no rules, so that a resource that uses it by mistake cannot be reached.
resource "aws_default_security_group" "closed" {
  count = local.own_network ? 1 : 0

  vpc_id  = aws_vpc.main[0].id
  ingress = []
  egress  = []

  tags = { Name = "${local.name}-default-closed" }
}

resource "aws_internet_gateway" "main" {
  count = local.own_network ? 1 : 0

  vpc_id = aws_vpc.main[0].id

  tags = { Name = local.name }
}

resource "aws_subnet" "public" {
  for_each = local.own_zones

  vpc_id                  = aws_vpc.main[0].id
  availability_zone       = each.key
  cidr_block              = each.value.public
  ipv6_cidr_block         = cidrsubnet(aws_vpc.main[0].ipv6_cidr_block, 8, each.value.index)
  map_public_ip_on_launch = false

  tags = { Name = "${local.name}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.own_zones

  vpc_id            = aws_vpc.main[0].id
  availability_zone = each.key
  cidr_block        = each.value.private

  tags = { Name = "${local.name}-private-${each.key}" }
}

resource "aws_route_table" "public" {
  count = local.own_network ? 1 : 0

  vpc_id = aws_vpc.main[0].id

  tags = { Name = "${local.name}-public" }
}

resource "aws_route" "public_ipv4" {
  count = local.own_network ? 1 : 0

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main[0].id
}

resource "aws_route" "public_ipv6" {
  count = local.own_network ? 1 : 0

  route_table_id              = aws_route_table.public[0].id
  destination_ipv6_cidr_block = "::/0"
  gateway_id                  = aws_internet_gateway.main[0].id
}

resource "aws_route_table_association" "public" {
  for_each = local.own_zones

  subnet_id      = aws_subnet.public[each.key].id
  route_table_id = aws_route_table.public[0].id
}

locals {
  nat_zones = !local.own_network ? [] : var.operations.nat_gateways == "single" ? slice(var.config.vpc.azs, 0, 1) : var.config.vpc.azs
}

resource "aws_eip" "nat" {
  for_each = toset(local.nat_zones)

  domain = "vpc"

  tags = { Name = "${local.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "main" {
  for_each = toset(local.nat_zones)

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${local.name}-${each.key}" }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_route_table" "private" {
  for_each = local.own_zones

  vpc_id = aws_vpc.main[0].id

  tags = { Name = "${local.name}-private-${each.key}" }
}

resource "aws_route" "private_nat" {
  for_each = local.own_zones

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main[contains(local.nat_zones, each.key) ? each.key : local.nat_zones[0]].id
}

resource "aws_route_table_association" "private" {
  for_each = local.own_zones

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

# Flow logs of accepted and rejected connections.
resource "aws_flow_log" "vpc" {
  count = local.own_network ? 1 : 0

  vpc_id                   = aws_vpc.main[0].id
  traffic_type             = "ALL"
  max_aggregation_interval = 600
  log_destination          = aws_cloudwatch_log_group.main["flow"].arn
  iam_role_arn             = aws_iam_role.flow_log.arn

  tags = { Name = local.name }

  depends_on = [aws_iam_role_policy.flow_log]
}

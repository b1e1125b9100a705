# A network that the organisation already has, with its own way to the Internet. The config still says its blocks and zones:
# the doctor judges them, and the plan compares them with what is there.
locals {
  existing_public = try(length(var.operations.existing_network.public_subnet_ids) > 0, false)
  existing_subnets = merge(
    local.own_network ? {} : { for i, id in var.operations.existing_network.private_subnet_ids :
    "private ${var.config.vpc.azs[i]}" => { id = id, zone = var.config.vpc.azs[i], block = var.config.vpc.subnets.private[i] } },
    local.own_network ? {} : { for i, id in var.operations.existing_network.public_subnet_ids :
    "public ${var.config.vpc.azs[i]}" => { id = id, zone = var.config.vpc.azs[i], block = var.config.vpc.subnets.public[i] } },
  )
}

data "aws_vpc" "existing" {
  count = local.own_network ? 0 : 1
  id    = var.operations.existing_network.vpc_id

  lifecycle {
    postcondition {
      condition     = self.cidr_block == var.config.vpc.vpc_cidr
      error_message = "operations.existing_network.vpc_id is a VPC with the block ${self.cidr_block}, but config.vpc.vpc_cidr is ${var.config.vpc.vpc_cidr}."
    }
    # Cloud Map's private namespace and the endpoints' private names need both.
    postcondition {
      condition     = self.enable_dns_support && self.enable_dns_hostnames
      error_message = "The VPC in operations.existing_network has no DNS support or no DNS host names. Turn both on."
    }
  }
}

data "aws_subnet" "existing" {
  for_each = local.existing_subnets
  id       = each.value.id

  lifecycle {
    postcondition {
      condition     = self.vpc_id == var.operations.existing_network.vpc_id && self.availability_zone == each.value.zone && self.cidr_block == each.value.block
      error_message = "operations.existing_network names a subnet that the config does not describe: the ${each.key} subnet is ${self.cidr_block} in ${self.availability_zone} of ${self.vpc_id}; the config has ${each.value.block} in ${each.value.zone}."
    }
  }
}

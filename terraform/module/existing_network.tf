# An existing network with its own route to the Internet. The config must describe its blocks and Availability Zones: the doctor checks
# them, and the plan compares them with the network.
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
      error_message = "The VPC of operations.existing_network.vpc_id has the block ${self.cidr_block}, but config.vpc.vpc_cidr is ${var.config.vpc.vpc_cidr}."
    }
    # Cloud Map's private namespace and the endpoints' private names need both.
    postcondition {
      condition     = self.enable_dns_support && self.enable_dns_hostnames
      error_message = "The VPC of operations.existing_network has DNS resolution or DNS hostnames turned off. Turn both on."
    }
  }
}

data "aws_subnet" "existing" {
  for_each = local.existing_subnets
  id       = each.value.id

  lifecycle {
    postcondition {
      condition     = self.vpc_id == var.operations.existing_network.vpc_id && self.availability_zone == each.value.zone && self.cidr_block == each.value.block
      error_message = "A subnet of operations.existing_network does not match the config: the ${each.key} subnet is ${self.cidr_block} in ${self.availability_zone} of ${self.vpc_id}; the config has ${each.value.block} in ${each.value.zone}."
    }
  }
}

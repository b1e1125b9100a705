# An existing network. OpenTofu's tests cannot override a single instance of a resource, so OpenTofu does not run these.
mock_provider "aws" {
  source = "./tests/mocks"
}

override_data {
  target = data.aws_vpc.existing[0]
  values = { id = "vpc-0existing", cidr_block = "192.168.100.0/24", enable_dns_support = true, enable_dns_hostnames = true }
}

override_data {
  target = data.aws_subnet.existing["private us-west-2a"]
  values = { id = "subnet-0privatea", vpc_id = "vpc-0existing", availability_zone = "us-west-2a", cidr_block = "192.168.100.0/27" }
}

override_data {
  target = data.aws_subnet.existing["private us-west-2b"]
  values = { id = "subnet-0privateb", vpc_id = "vpc-0existing", availability_zone = "us-west-2b", cidr_block = "192.168.100.64/27" }
}

override_data {
  target = data.aws_subnet.existing["public us-west-2a"]
  values = { id = "subnet-0publica", vpc_id = "vpc-0existing", availability_zone = "us-west-2a", cidr_block = "192.168.100.128/27" }
}

override_data {
  target = data.aws_subnet.existing["public us-west-2b"]
  values = { id = "subnet-0publicb", vpc_id = "vpc-0existing", availability_zone = "us-west-2b", cidr_block = "192.168.100.192/27" }
}

run "existing_network" {
  command = plan

  variables {
    operations = { existing_network = {
      vpc_id             = "vpc-0existing"
      private_subnet_ids = ["subnet-0privatea", "subnet-0privateb"]
      public_subnet_ids  = ["subnet-0publica", "subnet-0publicb"]
    } }
  }

  assert {
    condition = 0 == length(concat(
      aws_vpc.main, aws_default_security_group.closed, aws_internet_gateway.main, values(aws_subnet.public), values(aws_subnet.private), values(aws_nat_gateway.main),
      values(aws_eip.nat), aws_route_table.public, values(aws_route_table.private), values(aws_route.private_nat), aws_flow_log.vpc, aws_vpc_endpoint.s3,
    ))
    error_message = "An existing network must not be changed."
  }

  assert {
    condition = (
      aws_lb.main.subnets == toset(["subnet-0publica", "subnet-0publicb"]) && !aws_lb.main.internal && aws_lb.main.ip_address_type == "ipv4" &&
      one(aws_ecs_service.app.network_configuration).subnets == toset(["subnet-0privatea", "subnet-0privateb"]) &&
      aws_db_subnet_group.main.subnet_ids == toset(["subnet-0privatea", "subnet-0privateb"]) &&
      aws_efs_mount_target.elasticsearch["us-west-2b"].subnet_id == "subnet-0privateb" && aws_security_group.app.vpc_id == "vpc-0existing"
    )
    error_message = "All resources must be in the given subnets, in each zone."
  }

  assert {
    condition     = length([for name, _ in aws_cloudwatch_metric_alarm.main : name if startswith(name, "nat-ports")]) == 0
    error_message = "There must be no alarm for a NAT gateway of an existing network."
  }
}

run "existing_network_without_public_subnets" {
  command = plan

  variables {
    operations = {
      internal_load_balancer = true
      existing_network       = { vpc_id = "vpc-0existing", private_subnet_ids = ["subnet-0privatea", "subnet-0privateb"] }
    }
  }

  assert {
    condition     = aws_lb.main.internal && aws_lb.main.subnets == toset(["subnet-0privatea", "subnet-0privateb"]) && keys(aws_route53_record.app) == ["A"]
    error_message = "An internal load balancer must be in the private subnets."
  }
}

run "subnet_of_another_zone" {
  command = plan

  override_data {
    target = data.aws_subnet.existing["private us-west-2b"]
    values = { id = "subnet-0privateb", vpc_id = "vpc-0existing", availability_zone = "us-west-2c", cidr_block = "192.168.100.64/27" }
  }

  variables {
    operations = {
      internal_load_balancer = true
      existing_network       = { vpc_id = "vpc-0existing", private_subnet_ids = ["subnet-0privatea", "subnet-0privateb"] }
    }
  }

  expect_failures = [data.aws_subnet.existing]
}

run "vpc_with_another_block" {
  command = plan

  override_data {
    target = data.aws_vpc.existing[0]
    values = { id = "vpc-0existing", cidr_block = "10.0.0.0/16", enable_dns_support = true, enable_dns_hostnames = true }
  }

  variables {
    operations = {
      internal_load_balancer = true
      existing_network       = { vpc_id = "vpc-0existing", private_subnet_ids = ["subnet-0privatea", "subnet-0privateb"] }
    }
  }

  expect_failures = [data.aws_vpc.existing]
}

run "vpc_without_dns_names" {
  command = plan

  override_data {
    target = data.aws_vpc.existing[0]
    values = { id = "vpc-0existing", cidr_block = "192.168.100.0/24", enable_dns_support = true, enable_dns_hostnames = false }
  }

  variables {
    operations = {
      internal_load_balancer = true
      existing_network       = { vpc_id = "vpc-0existing", private_subnet_ids = ["subnet-0privatea", "subnet-0privateb"] }
    }
  }

  expect_failures = [data.aws_vpc.existing]
}

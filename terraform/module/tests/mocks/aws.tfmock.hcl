# What AWS would answer. Everything else a plan leaves unknown, as on a real first plan.
mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_region" {
  defaults = { id = "us-west-2", name = "us-west-2" }
}

mock_data "aws_elb_service_account" {
  defaults = { arn = "arn:aws:iam::797873946194:root" }
}

mock_data "aws_route53_zone" {
  defaults = { name = "osmt-tests.org" }
}

mock_data "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/written-AbCdEf" }
}

mock_resource "aws_vpc" {
  override_during = plan
  defaults        = { ipv6_cidr_block = "2001:db8:1200::/56" }
}

mock_resource "aws_secretsmanager_secret" {
  override_during = plan
  defaults        = { arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:osmt/test/db-uri-AbCdEf" }
}

mock_resource "aws_elasticache_replication_group" {
  override_during = plan
  defaults        = { primary_endpoint_address = "cache.osmt-tests.org" }
}

mock_resource "aws_db_instance" {
  override_during = plan
  defaults        = { address = "database.osmt-tests.org", endpoint = "database.osmt-tests.org:3306" }
}

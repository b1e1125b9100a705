terraform {
  backend "s3" {
    bucket         = "osmt-test-123456789012-us-west-2"
    key            = "osmt/test/terraform.tfstate"
    region         = "us-west-2"
    dynamodb_table = "osmt-test"
  }
}

provider "aws" {
  region              = "us-west-2"
  allowed_account_ids = ["123456789012"]

  default_tags {
    tags = {
      Environment = "test"
    }
  }
}

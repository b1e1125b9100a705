# The load balancer's access logs, with the same retention as the other logs. The load balancer can only write to a bucket with SSE-S3.
resource "aws_s3_bucket" "access_logs" {
  #checkov:skip=CKV_AWS_18:this is the log bucket; logging it to itself would never end
  #checkov:skip=CKV_AWS_144:access logs are for analysis and need no copy in another Region
  #checkov:skip=CKV_AWS_145:the load balancer cannot write to a bucket encrypted with a KMS key
  #checkov:skip=CKV2_AWS_62:no application processes the log files
  count = var.config.alb.access_logs ? 1 : 0

  bucket = "${local.name}-${local.account}-${local.region}-alb-logs"
  # The load balancer writes log files until it is deleted, so the bucket is not empty when the stack is destroyed. Without deletion
  # protection the log files are deleted with it.
  force_destroy = !var.config.alb.enable_deletion_protection

  tags = { Name = "${local.name}-alb-logs" }
}

resource "aws_s3_bucket_ownership_controls" "access_logs" {
  count = length(aws_s3_bucket.access_logs)

  bucket = aws_s3_bucket.access_logs[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "access_logs" {
  count = length(aws_s3_bucket.access_logs)

  bucket                  = aws_s3_bucket.access_logs[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "access_logs" {
  count = length(aws_s3_bucket.access_logs)

  bucket = aws_s3_bucket.access_logs[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "access_logs" {
  count = length(aws_s3_bucket.access_logs)

  bucket = aws_s3_bucket.access_logs[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "access_logs" {
  count = length(aws_s3_bucket.access_logs)

  bucket = aws_s3_bucket.access_logs[0].id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    # 0 means "never expire" in CloudWatch Logs, and ten years for these files.
    expiration {
      days = var.config.log_retention_days == 0 ? 3653 : var.config.log_retention_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.access_logs]
}

# In Regions that existed before August 2022 the principal is an AWS account, in later Regions a service. Both write only to
# AWSLogs/<account of the load balancer>.
data "aws_elb_service_account" "current" {
  count = var.config.alb.access_logs && contains([
    "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
    "ap-southeast-2", "ap-southeast-3", "ca-central-1", "eu-central-1", "eu-north-1",
    "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3", "me-south-1", "sa-east-1", "us-east-1", "us-east-2",
    "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2",
  ], local.region) ? 1 : 0
}

resource "aws_s3_bucket_policy" "access_logs" {
  count = length(aws_s3_bucket.access_logs)

  bucket = aws_s3_bucket.access_logs[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "LoadBalancerWrites"
        Effect = "Allow"
        Principal = merge(
          { Service = "logdelivery.elasticloadbalancing.amazonaws.com" },
          { for account in data.aws_elb_service_account.current : "AWS" => account.arn },
        )
        Action   = "s3:PutObject"
        Resource = "${aws_s3_bucket.access_logs[0].arn}/AWSLogs/${local.account}/*"
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.access_logs[0].arn, "${aws_s3_bucket.access_logs[0].arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.access_logs]
}

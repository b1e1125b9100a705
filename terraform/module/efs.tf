# The file system of the index. It has no backup, because the index can be built again from the database.
resource "aws_efs_file_system" "elasticsearch" {
  #checkov:skip=CKV2_AWS_18:the index can be built again from the database (osmt-release migrate --step reindex); a backup would be older than the database
  creation_token  = local.services.elasticsearch
  encrypted       = true
  kms_key_id      = aws_kms_key.main.arn
  throughput_mode = "elastic"

  tags = { Name = local.services.elasticsearch }
}

resource "aws_efs_mount_target" "elasticsearch" {
  for_each = local.zones

  file_system_id  = aws_efs_file_system.elasticsearch.id
  subnet_id       = local.private_subnets[each.key]
  security_groups = [aws_security_group.efs.id]
}

# The DNS name of a mount target can be resolved about 90 seconds after it is available ("Mounting EFS file systems" in the Amazon EFS
# User Guide). Tasks that start earlier cannot mount it, and three such tasks stop a deployment. So Elasticsearch waits, on the first
# apply and when an Availability Zone is added. (cmd.exe has no sleep; there ping waits as long.)
resource "terraform_data" "mount_targets_reachable" {
  triggers_replace = { for zone, target in aws_efs_mount_target.elasticsearch : zone => target.id }

  provisioner "local-exec" {
    command = "sleep 90 || ping -n 91 127.0.0.1"
  }
}

# Files that are written through this access point belong to Elasticsearch's user, which cannot read other folders.
resource "aws_efs_access_point" "elasticsearch" {
  file_system_id = aws_efs_file_system.elasticsearch.id

  posix_user {
    uid = 1000
    gid = 0
  }

  root_directory {
    # One folder per major version, because 7 does not start with the files of 8. After a change of the major version run a reindex.
    path = "/elasticsearch-${local.elasticsearch_major}"

    creation_info {
      owner_uid   = 1000
      owner_gid   = 0
      permissions = "0750"
    }
  }

  tags = { Name = local.services.elasticsearch }

  # The old access point is deleted only after tasks use the new one.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_efs_file_system_policy" "elasticsearch" {
  file_system_id = aws_efs_file_system.elasticsearch.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyElasticsearch"
        Effect    = "Allow"
        Principal = { AWS = aws_iam_role.task["elasticsearch"].arn }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.elasticsearch.arn
        Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.elasticsearch.arn } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "*"
        Resource  = aws_efs_file_system.elasticsearch.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

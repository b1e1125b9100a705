{
  "config": {
    "account_id": "<account_id>",
    "region": "<region>",
    "env": "<env>",
    "domain": { "name": "<domain.name>", "hosted_zone_id": "<domain.hosted_zone_id>" },
    "app": {
      "oauth": {
        "issuer": "<app.oauth.issuer>",
        "client_id": "<app.oauth.client_id>",
        "audience": "<app.oauth.audience>"
      }
    },
    "alb": {
      "certificate_arn": "<alb.certificate_arn>",
      "enable_deletion_protection": true,
      "access_logs": true,
      "ingress_cidrs": ["0.0.0.0/0"]
    },
    "ecs": {
      "task": {
        "app": { "cpu": 2048, "memory": 8192, "desired_count": 2, "docker_image": "wguopensource/osmt-app", "docker_tag": "3.0.0" },
        "elasticsearch": { "cpu": 2048, "memory": 4096, "desired_count": 1, "docker_image": "docker.elastic.co/elasticsearch/elasticsearch", "docker_tag": "8.11.3" }
      }
    },
    "elasticache": { "engine_version": "7.1", "node_type": "cache.t4g.small", "parameter_group_name": "default.redis7" },
    "rds": {
      "db_name": "osmt_db",
      "engine_version": "8.4",
      "instance_class": "db.t4g.small",
      "parameter_group_family": "mysql8.4",
      "multi_az": true,
      "allocated_storage": 20,
      "backup_retention_days": 7,
      "enable_deletion_protection": true,
      "skip_final_snapshot": false
    },
    "vpc": {
      "vpc_cidr": "192.168.100.0/24",
      "azs": ["<vpc.azs[0]>", "<vpc.azs[1]>"],
      "subnets": {
        "private": ["192.168.100.0/27", "192.168.100.64/27"],
        "public": ["192.168.100.128/27", "192.168.100.192/27"]
      }
    },
    "log_retention_days": 30,
    "secrets_revision": 1
  }
}

"""Prepares and reads the emulated account of a rehearsal. Runs in the emulator's private Python environment.

- `prepare DOMAIN` creates a hosted zone, which an organisation already has, and prints its id.
- `inventory` prints the names of all resources. It omits resources that AWS keeps for some time after their deletion: revisions of
  task definitions, automated snapshots, keys that are scheduled for deletion.
- `secrets` prints the values of all versions of all secrets. The caller does not write them to a file.
- `objects FOLDER` copies every version of every object into a folder.
- `restore DATABASE SNAPSHOT` creates a snapshot, renames the database to DATABASE-failed and restores the snapshot with the old name.
- `forget DATABASE SNAPSHOT` deletes DATABASE-failed and the snapshot.
- `network BLOCK SUBNETS REGION` creates a VPC with the subnets {"private": [...], "public": [...]}, in the Region's Availability Zones
  in order, and prints the ids.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

_LISTED = {  # service: operation, list in the response, key of the name
    "acm": [("list_certificates", "CertificateSummaryList", "CertificateArn")],
    "cloudwatch": [("describe_alarms", "MetricAlarms", "AlarmName")],
    "dynamodb": [("list_tables", "TableNames", None)],
    "ec2": [
        ("describe_addresses", "Addresses", "AllocationId"),
        ("describe_flow_logs", "FlowLogs", "FlowLogId"),
        ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        ("describe_nat_gateways", "NatGateways", "NatGatewayId"),
        ("describe_route_tables", "RouteTables", "RouteTableId"),
        ("describe_security_groups", "SecurityGroups", "GroupId"),
        ("describe_subnets", "Subnets", "SubnetId"),
        ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
        ("describe_vpcs", "Vpcs", "VpcId"),
    ],
    "efs": [("describe_file_systems", "FileSystems", "FileSystemId")],
    "elasticache": [
        ("describe_replication_groups", "ReplicationGroups", "ReplicationGroupId"),
        ("describe_cache_clusters", "CacheClusters", "CacheClusterId"),
        ("describe_cache_subnet_groups", "CacheSubnetGroups", "CacheSubnetGroupName"),
    ],
    "elbv2": [
        ("describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
        ("describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ],
    "iam": [
        ("list_roles", "Roles", "RoleName"),
        ("list_users", "Users", "UserName"),
        ("list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn"),
    ],
    "kms": [("list_aliases", "Aliases", "AliasName")],
    "logs": [("describe_log_groups", "logGroups", "logGroupName")],
    "rds": [
        ("describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
        ("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
        ("describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName"),
        ("describe_db_snapshots", "DBSnapshots", "DBSnapshotIdentifier"),
    ],
    "s3": [("list_buckets", "Buckets", "Name")],
    "secretsmanager": [("list_secrets", "SecretList", "Name")],
    "servicediscovery": [("list_namespaces", "Namespaces", "Name"), ("list_services", "Services", "Name")],
    "sns": [("list_topics", "Topics", "TopicArn")],
}


def client(service: str) -> Any:
    return boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(proxies={}))


def prepare(domain: str) -> str:
    made = client("route53").create_hosted_zone(Name=domain, CallerReference=os.urandom(8).hex())
    return made["HostedZone"]["Id"].rpartition("/")[2]


def inventory() -> list[str]:
    names: set[str] = set()
    for service, lists in _LISTED.items():
        api = client(service)
        for operation, key, name in lists:
            pages = api.get_paginator(operation).paginate() if api.can_paginate(operation) else [getattr(api, operation)()]
            for found in (found for page in pages for found in page[key]):
                if name is None or not _ended(operation, found):
                    names.add(f"{service}: {found if name is None else found[name]}")
    clusters = client("ecs").list_clusters()["clusterArns"]
    active = [one["clusterArn"] for one in client("ecs").describe_clusters(clusters=clusters)["clusters"] if one["status"] == "ACTIVE"]
    names.update(f"ecs: {cluster}" for cluster in active)
    names.update(_interfaces())
    names.update(_keys())
    names.update(f"iam: {policy['PolicyName']}" for policy in client("iam").list_policies(Scope="Local")["Policies"])
    names.update(_records())
    return sorted(names)


def _ended(operation: str, found: dict[str, Any]) -> bool:
    """Whether a resource is deleted but still listed."""
    if operation == "describe_db_snapshots":  # RDS keeps automated snapshots of a deleted database until they expire
        return bool(found["SnapshotType"] == "automated")
    return str(found.get("State", "")).lower() == "deleted"


def _interfaces() -> Iterator[str]:
    """The interfaces of existing networks, because the emulator keeps some interfaces of a deleted network."""
    ec2 = client("ec2")
    networks = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}
    for interface in ec2.describe_network_interfaces()["NetworkInterfaces"]:
        if interface["VpcId"] in networks:
            yield f"ec2: {interface['NetworkInterfaceId']}"


def _keys() -> Iterator[str]:
    """The customer managed keys that are not scheduled for deletion."""
    kms = client("kms")
    for key in (key["KeyId"] for page in kms.get_paginator("list_keys").paginate() for key in page["Keys"]):
        key_data = kms.describe_key(KeyId=key)["KeyMetadata"]
        of_aws = key_data["KeyManager"] == "AWS" or key_data["Description"].startswith("Default master key that protects my ")
        if key_data["KeyState"] != "PendingDeletion" and not of_aws:
            yield f"kms: {key} {key_data['Description']}"


def _records() -> Iterator[str]:
    route53 = client("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        yield f"route53: {zone['Name']}"
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            yield f"route53: {record['Type']} {record['Name']} in {zone['Name']}"


def secrets() -> dict[str, list[str]]:
    manager = client("secretsmanager")
    values: dict[str, list[str]] = {}
    for secret in manager.list_secrets()["SecretList"]:
        versions = manager.list_secret_version_ids(SecretId=secret["Name"], IncludeDeprecated=True)["Versions"]
        held = [manager.get_secret_value(SecretId=secret["Name"], VersionId=version["VersionId"]) for version in versions]
        values[secret["Name"]] = [value["SecretString"] for value in held if "SecretString" in value]
    return values


def objects(folder: Path) -> int:
    s3, copied = client("s3"), 0
    for bucket in (bucket["Name"] for bucket in s3.list_buckets()["Buckets"]):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for version in page.get("Versions", []):
                copied += 1
                body = s3.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
                (folder / f"{copied:03}-{bucket}-{version['Key'].replace('/', '-')}").write_bytes(body)
    for table in client("dynamodb").list_tables()["TableNames"]:
        items = client("dynamodb").scan(TableName=table)["Items"]
        (folder / f"table-{table}").write_text(json.dumps(items, default=str), encoding="utf-8")
    return copied


def restore(database: str, snapshot: str) -> None:
    rds = client("rds")
    failed = f"{database}-failed"
    rds.create_db_snapshot(DBInstanceIdentifier=database, DBSnapshotIdentifier=snapshot)
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier=snapshot)
    rds.modify_db_instance(DBInstanceIdentifier=database, NewDBInstanceIdentifier=failed, ApplyImmediately=True)
    kept = rds.describe_db_instances(DBInstanceIdentifier=failed)["DBInstances"][0]
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=database,
        DBSnapshotIdentifier=snapshot,
        DBSubnetGroupName=kept["DBSubnetGroup"]["DBSubnetGroupName"],
        DBParameterGroupName=kept["DBParameterGroups"][0]["DBParameterGroupName"],
        VpcSecurityGroupIds=[group["VpcSecurityGroupId"] for group in kept["VpcSecurityGroups"]],
    )


def forget(database: str, snapshot: str) -> None:
    rds = client("rds")
    failed = f"{database}-failed"
    rds.modify_db_instance(DBInstanceIdentifier=failed, DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_instance(DBInstanceIdentifier=failed, SkipFinalSnapshot=True)
    rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot)


def network(block: str, subnets: dict[str, list[str]], region: str) -> dict[str, Any]:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    made: dict[str, Any] = {"vpc_id": vpc}
    for kind, blocks in subnets.items():
        made[f"{kind}_subnet_ids"] = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=one, AvailabilityZone=f"{region}{letter}")["Subnet"]["SubnetId"]
            for one, letter in zip(blocks, "abcdef", strict=False)
        ]
    return made


def main() -> int:
    verb, *rest = sys.argv[1:]
    if verb == "prepare":
        print(prepare(rest[0]))
    elif verb == "inventory":
        print(json.dumps(inventory(), indent=1))
    elif verb == "secrets":
        print(json.dumps(secrets()))
    elif verb == "objects":
        print(objects(Path(rest[0])))
    elif verb == "network":
        print(json.dumps(network(rest[0], json.loads(rest[1]), rest[2])))
    elif verb == "restore":
        restore(*rest)
    elif verb == "forget":
        forget(*rest)
    else:
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Checks of patches: databases, caches, buckets and secrets."""

import json
import time
from typing import Any, Dict

from patch_checks import Aws, check, expect, network, refused


@check("elasticache.parameter_groups")
def _(aws: Aws) -> None:
    cache, name = aws("elasticache"), {"CacheParameterGroupName": "own"}
    cache.create_cache_parameter_group(CacheParameterGroupFamily="redis7", Description="own", Tags=[{"Key": "a", "Value": "b"}], **name)
    value = {"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lru"}
    cache.modify_cache_parameter_group(ParameterNameValues=[value], **name)
    parameters = cache.describe_cache_parameters(**name)["Parameters"]
    expect([(one["ParameterName"], one["ParameterValue"]) for one in parameters], [tuple(value.values())])
    group = cache.describe_cache_parameter_groups(**name)["CacheParameterGroups"][0]
    expect(cache.list_tags_for_resource(ResourceName=group["ARN"])["TagList"], [{"Key": "a", "Value": "b"}])
    cache.reset_cache_parameter_group(ParameterNameValues=[value], **name)
    expect(cache.describe_cache_parameters(**name)["Parameters"], [])
    cache.delete_cache_parameter_group(**name)
    refused("CacheParameterGroupNotFound", cache.describe_cache_parameter_groups, **name)


def replication_group(aws: Aws, name: str, members: int) -> Dict[str, Any]:
    asked = {"ReplicationGroupDescription": name, "Engine": "redis", "EngineVersion": "7.1", "CacheNodeType": "cache.t4g.small"}
    return aws("elasticache").create_replication_group(ReplicationGroupId=name, NumCacheClusters=members, **asked)["ReplicationGroup"]


@check("elasticache.member_clusters")
def _(aws: Aws) -> None:
    members = replication_group(aws, "members", 2)["MemberClusters"]
    expect(len(members), 2)
    for member in members:
        cluster = aws("elasticache").describe_cache_clusters(CacheClusterId=member)["CacheClusters"][0]
        expect((cluster["CacheNodeType"], cluster["CacheClusterStatus"]), ("cache.t4g.small", "available"))


@check("elasticache.replication_group_end")
def _(aws: Aws) -> None:
    replication_group(aws, "ends", 1)
    aws("elasticache").delete_replication_group(ReplicationGroupId="ends")
    refused("ReplicationGroupNotFoundFault", aws("elasticache").describe_replication_groups, ReplicationGroupId="ends")


@check("elasticache.replication_group_change")
def _(aws: Aws) -> None:
    replication_group(aws, "changes", 1)
    aws("elasticache").modify_replication_group(ReplicationGroupId="changes", CacheNodeType="cache.t4g.medium", ApplyImmediately=True)
    group = aws("elasticache").describe_replication_groups(ReplicationGroupId="changes")["ReplicationGroups"][0]
    expect(group["CacheNodeType"], "cache.t4g.medium")


@check("elasticache.subnet_group_end")
def _(aws: Aws) -> None:
    cache, made = aws("elasticache"), network(aws, "10.4")
    cache.create_cache_subnet_group(CacheSubnetGroupName="ends", CacheSubnetGroupDescription="ends", SubnetIds=made["subnets"])
    cache.delete_cache_subnet_group(CacheSubnetGroupName="ends")
    refused("CacheSubnetGroupNotFoundFault", cache.describe_cache_subnet_groups, CacheSubnetGroupName="ends")


def database(aws: Aws, name: str, **more: Any) -> Dict[str, Any]:
    asked = {"Engine": "mysql", "DBInstanceClass": "db.t4g.small", "AllocatedStorage": 20, "MasterUsername": "osmt", **more}
    aws("rds").create_db_instance(DBInstanceIdentifier=name, MasterUserPassword="longenough", **asked)
    return aws("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


@check("rds.resource_id")
def _(aws: Aws) -> None:
    identities = {database(aws, name)["DbiResourceId"] for name in ("first", "second")}
    expect(len(identities), 2)


@check("rds.monitoring")
def _(aws: Aws) -> None:
    role = "arn:aws:iam::123456789012:role/monitoring"
    made = database(aws, "monitored", MonitoringInterval=60, MonitoringRoleArn=role, EnablePerformanceInsights=True)
    expect((made.get("MonitoringInterval"), made.get("MonitoringRoleArn")), (60, role))
    expect(made["PerformanceInsightsEnabled"], True)
    aws("rds").modify_db_instance(DBInstanceIdentifier="monitored", MonitoringInterval=30, MonitoringRoleArn=role)
    changed = aws("rds").describe_db_instances(DBInstanceIdentifier="monitored")["DBInstances"][0]
    expect(changed["MonitoringInterval"], 30)


@check("rds.parameter_source")
def _(aws: Aws) -> None:
    rds, name = aws("rds"), {"DBParameterGroupName": "own"}
    rds.create_db_parameter_group(DBParameterGroupFamily="mysql8.0", Description="own", **name)
    value = {"ParameterName": "character_set_server", "ParameterValue": "utf8mb3", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(Parameters=[value], **name)
    parameters = rds.describe_db_parameters(Source="user", **name)["Parameters"]
    expect(
        [(one["ParameterName"], one["ParameterValue"], one.get("Source")) for one in parameters],
        [("character_set_server", "utf8mb3", "user")],
    )


@check("rds.restored")
def _(aws: Aws) -> None:
    database(aws, "source")
    aws("rds").restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="source", TargetDBInstanceIdentifier="restored", UseLatestRestorableTime=True
    )
    restored = aws("rds").describe_db_instances(DBInstanceIdentifier="restored")["DBInstances"][0]
    expect(restored.get("ReadReplicaSourceDBInstanceIdentifier"), None)


@check("rds.orderable")
def _(aws: Aws) -> None:
    # An empty list would mean that AWS does not offer the class.
    refused("NotImplemented", aws("rds").describe_orderable_db_instance_options, Engine="mysql", DBInstanceClass="db.t4g.small")


@check("s3.versioning_answer")
def _(aws: Aws) -> None:
    s3, answers = aws("s3"), []
    s3.create_bucket(Bucket="answers", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.meta.events.register("before-parse.s3.GetBucketVersioning", lambda response_dict, **_: answers.append(response_dict["body"]))
    s3.get_bucket_versioning(Bucket="answers")
    expect(b"<VersioningConfiguration" in answers[0], True)


@check("s3.tls_only_policy")
def _(aws: Aws) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="tls-only", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::tls-only/*"}
    plain = {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    closed = {**deny, "Resource": "arn:aws:s3:::tls-only/closed"}
    s3.put_bucket_policy(Bucket="tls-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [plain, closed]}))
    s3.put_object(Bucket="tls-only", Key="open", Body=b"1")
    expect(s3.get_object(Bucket="tls-only", Key="open")["Body"].read(), b"1")
    refused("403", s3.head_object, Bucket="tls-only", Key="closed")


@check("secretsmanager.listed_versions")
def _(aws: Aws) -> None:
    manager = aws("secretsmanager")
    try:
        manager.list_secret_version_ids(SecretId="absent")
        raise AssertionError("a secret that does not exist has versions")
    except manager.exceptions.ResourceNotFoundException:
        pass
    manager.create_secret(Name="listed", SecretString="{}")
    time.sleep(1.1)
    manager.put_secret_value(SecretId="listed", SecretString="[]")
    versions = manager.list_secret_version_ids(SecretId="listed", IncludeDeprecated=True)["Versions"]
    expect(len({version["CreatedDate"] for version in versions}), 2)


@check("secretsmanager.moved_current_version")
def _(aws: Aws) -> None:
    manager = aws("secretsmanager")
    first = manager.create_secret(Name="check", SecretString="one")["VersionId"]
    second = manager.put_secret_value(SecretId="check", SecretString="two")["VersionId"]
    manager.update_secret_version_stage(SecretId="check", VersionStage="AWSCURRENT", RemoveFromVersionId=second, MoveToVersionId=first)
    expect(manager.get_secret_value(SecretId="check")["SecretString"], "one")
    third = manager.put_secret_value(SecretId="check", SecretString="three")["VersionId"]
    stages = manager.describe_secret(SecretId="check")["VersionIdsToStages"]
    expect((stages[first], stages[third]), (["AWSPREVIOUS"], ["AWSCURRENT"]))


@check("backup.selections")
def _(aws: Aws) -> None:
    backup = aws("backup")
    rule = {"RuleName": "daily", "TargetBackupVaultName": "vault"}
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "selects", "Rules": [rule]})["BackupPlanId"]
    asked = {"SelectionName": "database", "IamRoleArn": "arn:aws:iam::123456789012:role/backup", "Resources": ["*"]}
    key = backup.create_backup_selection(BackupPlanId=plan, BackupSelection=asked)["SelectionId"]
    found = backup.get_backup_selection(BackupPlanId=plan, SelectionId=key)["BackupSelection"]
    expect(found["SelectionName"], "database")
    backup.delete_backup_selection(BackupPlanId=plan, SelectionId=key)
    refused("ResourceNotFoundException", backup.get_backup_selection, BackupPlanId=plan, SelectionId=key)


@check("backup.tags")
def _(aws: Aws) -> None:
    backup = aws("backup")
    arn = backup.create_backup_vault(BackupVaultName="tagged", BackupVaultTags={"a": "b"})["BackupVaultArn"]
    backup.meta.events.register("before-sign.backup.ListTags", lambda request, **_: setattr(request, "url", request.url.rstrip("/")))
    expect(backup.list_tags(ResourceArn=arn)["Tags"], {"a": "b"})


@check("backup.vault_policy")
def _(aws: Aws) -> None:
    backup = aws("backup")
    backup.create_backup_vault(BackupVaultName="guarded")
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    backup.put_backup_vault_access_policy(BackupVaultName="guarded", Policy=policy)
    expect(backup.get_backup_vault_access_policy(BackupVaultName="guarded")["Policy"], policy)
    backup.delete_backup_vault_access_policy(BackupVaultName="guarded")
    refused("ResourceNotFoundException", backup.get_backup_vault_access_policy, BackupVaultName="guarded")

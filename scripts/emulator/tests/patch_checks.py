"""What a client of AWS may expect, one check a patch: run against the patched emulator and against moto alone."""

import json
import time
from typing import Any, Callable, Dict

from botocore.exceptions import ClientError

Aws = Callable[[str], Any]
CHECKS: Dict[str, Callable[[Aws], None]] = {}


def check(patch: str) -> Callable[[Callable[[Aws], None]], Callable[[Aws], None]]:
    def register(function: Callable[[Aws], None]) -> Callable[[Aws], None]:
        CHECKS[patch] = function
        return function

    return register


def expect(found: Any, wanted: Any) -> None:
    if found != wanted:
        raise AssertionError(f"{found!r} is not {wanted!r}")


def refused(code: str, call: Callable[..., Any], **parameters: Any) -> None:
    try:
        call(**parameters)
    except ClientError as error:
        expect(error.response["Error"]["Code"], code)
    else:
        raise AssertionError(f"{code} expected, but it was done")


def network(aws: Aws, block: str) -> Dict[str, Any]:
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock=f"{block}.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"{block}.{number}.0/24", AvailabilityZone=f"us-west-2{letter}")["Subnet"]["SubnetId"]
        for number, letter in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="check", Description="check", VpcId=vpc)["GroupId"]
    return {"vpc": vpc, "subnets": subnets, "group": group}


@check("acm.dns_validation")
def _(aws: Aws) -> None:
    acm, route53 = aws("acm"), aws("route53")
    zone = route53.create_hosted_zone(Name="proven.example", CallerReference="proven")["HostedZone"]["Id"]
    unproven = acm.request_certificate(DomainName="unproven.example", ValidationMethod="DNS")["CertificateArn"]
    proven = acm.request_certificate(DomainName="proven.example", ValidationMethod="DNS")["CertificateArn"]
    acm.describe_certificate(CertificateArn=proven)
    record = acm.describe_certificate(CertificateArn=proven)["Certificate"]["DomainValidationOptions"][0]["ResourceRecord"]
    records = {"Name": record["Name"], "Type": record["Type"], "TTL": 60, "ResourceRecords": [{"Value": record["Value"]}]}
    changes = [{"Action": "UPSERT", "ResourceRecordSet": records}]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    while acm.describe_certificate(CertificateArn=proven)["Certificate"]["Status"] != "ISSUED":
        time.sleep(0.1)
    waiting = acm.describe_certificate(CertificateArn=unproven)["Certificate"]
    expect(waiting["Status"], "PENDING_VALIDATION")
    expect("IssuedAt" in waiting, False)


@check("acm.late_validation_record")
def _(aws: Aws) -> None:
    acm = aws("acm")
    arn = acm.request_certificate(DomainName="late.example", ValidationMethod="DNS")["CertificateArn"]
    told = ["ResourceRecord" in acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"][0] for _ in "12"]
    expect(told, [False, True])


@check("acm.users")
def _(aws: Aws) -> None:
    acm, balancers, made = aws("acm"), aws("elbv2"), network(aws, "10.7")
    certificate = acm.request_certificate(DomainName="used.example", ValidationMethod="DNS")["CertificateArn"]
    balancer = balancers.create_load_balancer(Name="uses", Subnets=made["subnets"])["LoadBalancers"][0]["LoadBalancerArn"]
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    asked = {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": certificate}], "DefaultActions": [answer]}
    balancers.create_listener(LoadBalancerArn=balancer, **asked)
    expect(acm.describe_certificate(CertificateArn=certificate)["Certificate"]["InUseBy"], [balancer])
    refused("ResourceInUseException", acm.delete_certificate, CertificateArn=certificate)
    balancers.delete_load_balancer(LoadBalancerArn=balancer)
    expect(acm.describe_certificate(CertificateArn=certificate)["Certificate"]["InUseBy"], [])
    acm.delete_certificate(CertificateArn=certificate)


@check("ec2.rule_description")
def _(aws: Aws) -> None:
    ec2, made = aws("ec2"), network(aws, "10.1")
    peer = [{"GroupId": made["group"], "Description": "from itself"}]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": peer}
    ec2.authorize_security_group_ingress(GroupId=made["group"], IpPermissions=[rule])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [made["group"]]}])["SecurityGroupRules"]
    expect([rule.get("Description") for rule in rules if not rule["IsEgress"]], ["from itself"])


def subnet_with_ipv6(aws: Aws, block: str) -> Dict[str, Any]:
    vpc = aws("ec2").create_vpc(CidrBlock=f"{block}.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    ipv6 = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    return aws("ec2").create_subnet(VpcId=vpc["VpcId"], CidrBlock=f"{block}.0.0/24", Ipv6CidrBlock=ipv6)["Subnet"]


@check("ec2.ipv6_block_state")
def _(aws: Aws) -> None:
    made = subnet_with_ipv6(aws, "10.6")["SubnetId"]
    subnet = aws("ec2").describe_subnets(SubnetIds=[made])["Subnets"][0]
    expect([one["Ipv6CidrBlockState"] for one in subnet["Ipv6CidrBlockAssociationSet"]], [{"State": "associated"}])


@check("ec2.subnet_by_ipv6_association")
def _(aws: Aws) -> None:
    ec2, subnet = aws("ec2"), subnet_with_ipv6(aws, "10.2")
    association = subnet["Ipv6CidrBlockAssociationSet"][0]["AssociationId"]
    asked = [{"Name": "ipv6-cidr-block-association.association-id", "Values": [association]}]
    expect([found["SubnetId"] for found in ec2.describe_subnets(Filters=asked)["Subnets"]], [subnet["SubnetId"]])


def task_definition(aws: Aws, image: str, family: str) -> str:
    containers = [{"name": "app", "image": image, "essential": True}]
    asked = {"family": family, "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]}
    return aws("ecs").register_task_definition(containerDefinitions=containers, **asked)["taskDefinition"]["taskDefinitionArn"]


def service(aws: Aws, name: str, **more: Any) -> Dict[str, Any]:
    aws("ecs").create_cluster(clusterName=name)
    definition = task_definition(aws, "app:good", name)
    made = {"cluster": name, "serviceName": name, "taskDefinition": definition, "desiredCount": 2, "launchType": "FARGATE", **more}
    aws("ecs").create_service(**made)
    return aws("ecs").describe_services(cluster=name, services=[name])["services"][0]


@check("ecs.service_settings")
def _(aws: Aws) -> None:
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}, "maximumPercent": 200, "minimumHealthyPercent": 100}
    kept = {
        "availabilityZoneRebalancing": "ENABLED",
        "deploymentConfiguration": breaker,
        "enableECSManagedTags": True,
        "enableExecuteCommand": True,
        "healthCheckGracePeriodSeconds": 300,
    }
    made = service(aws, "settings", **kept)
    expect({name: made.get(name) for name in kept}, kept)
    aws("ecs").update_service(cluster="settings", service="settings", healthCheckGracePeriodSeconds=60)
    changed = aws("ecs").describe_services(cluster="settings", services=["settings"])["services"][0]
    expect(changed["healthCheckGracePeriodSeconds"], 60)


@check("ecs.deployments")
def _(aws: Aws) -> None:
    made = service(aws, "deployments")
    expect((made["runningCount"], made["deployments"][0]["rolloutState"]), (2, "COMPLETED"))
    broken = task_definition(aws, "app:broken", "deployments")
    aws("ecs").update_service(cluster="deployments", service="deployments", taskDefinition=broken)
    after = aws("ecs").describe_services(cluster="deployments", services=["deployments"])["services"][0]
    expect((after["taskDefinition"], after["runningCount"]), (made["taskDefinition"], 2))


@check("ecs.tasks_of_a_service")
def _(aws: Aws) -> None:
    made = [service(aws, name) for name in ("tasks-one", "tasks-two")]
    aws("ecs").create_service(cluster="tasks-one", serviceName="another", taskDefinition=made[0]["taskDefinition"], desiredCount=1)
    listed = aws("ecs").list_tasks(cluster="tasks-one", serviceName="tasks-one")["taskArns"]
    expect(len(listed), 2)
    tasks = aws("ecs").describe_tasks(cluster="tasks-one", tasks=listed)["tasks"]
    expect({(task["lastStatus"], task["taskDefinitionArn"]) for task in tasks}, {("RUNNING", made[0]["taskDefinition"])})
    containers = [container for task in tasks for container in task["containers"]]
    expect({(container["imageDigest"][:7], type(container["cpu"])) for container in containers}, {("sha256:", str)})


@check("ecs.service_end")
def _(aws: Aws) -> None:
    service(aws, "ends")
    expect(len(aws("ecs").list_tasks(cluster="ends")["taskArns"]), 2)
    aws("ecs").delete_service(cluster="ends", service="ends", force=True)
    expect(aws("ecs").list_tasks(cluster="ends")["taskArns"], [])


@check("ecs.task_without_container_memory")
def _(aws: Aws) -> None:
    made = network(aws, "10.3")
    aws("ec2").modify_vpc_attribute(VpcId=made["vpc"], EnableDnsHostnames={"Value": True})
    aws("ecs").create_cluster(clusterName="task")
    place = {"awsvpcConfiguration": {"subnets": made["subnets"][:1], "securityGroups": [made["group"]]}}
    definition = task_definition(aws, "app:good", "task")
    ran = aws("ecs").run_task(cluster="task", taskDefinition=definition, launchType="FARGATE", networkConfiguration=place)
    expect((len(ran["tasks"]), ran["failures"]), (1, []))


@check("ecs.container_sizes")
def _(aws: Aws) -> None:
    made = network(aws, "10.7")
    aws("ec2").modify_vpc_attribute(VpcId=made["vpc"], EnableDnsHostnames={"Value": True})
    aws("ecs").create_cluster(clusterName="sizes")
    place = {"awsvpcConfiguration": {"subnets": made["subnets"][:1], "securityGroups": [made["group"]]}}
    definition = aws("ecs").register_task_definition(
        family="sizes",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "app", "image": "app:good", "cpu": 256, "memory": 512}],
    )["taskDefinition"]["taskDefinitionArn"]
    ran = aws("ecs").run_task(cluster="sizes", taskDefinition=definition, launchType="FARGATE", networkConfiguration=place)
    container = ran["tasks"][0]["containers"][0]
    expect((container["cpu"], container["memory"]), ("256", "512"))


@check("ecs.cluster_tags")
def _(aws: Aws) -> None:
    aws("ecs").create_cluster(clusterName="untagged")
    aws("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["ecs:cluster"])


def file_system(aws: Aws, token: str) -> str:
    return aws("efs").create_file_system(CreationToken=token)["FileSystemId"]


@check("efs.backup_policy")
def _(aws: Aws) -> None:
    efs, made = aws("efs"), file_system(aws, "backup")
    for status in ("ENABLED", "DISABLED"):
        efs.put_backup_policy(FileSystemId=made, BackupPolicy={"Status": status})
        expect(efs.describe_backup_policy(FileSystemId=made)["BackupPolicy"]["Status"], status)


@check("efs.file_system_policy")
def _(aws: Aws) -> None:
    efs, made = aws("efs"), file_system(aws, "policy")
    efs.put_file_system_policy(FileSystemId=made, Policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
    efs.delete_file_system_policy(FileSystemId=made)
    refused("PolicyNotFound", efs.describe_file_system_policy, FileSystemId=made)


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


@check("elbv2.deletion_protection")
def _(aws: Aws) -> None:
    balancers, made = aws("elbv2"), network(aws, "10.5")
    arn = balancers.create_load_balancer(Name="protected", Subnets=made["subnets"])["LoadBalancers"][0]["LoadBalancerArn"]
    for wanted in ("true", "false"):
        protection = [{"Key": "deletion_protection.enabled", "Value": wanted}]
        balancers.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protection)
        if wanted == "true":
            refused("OperationNotPermitted", balancers.delete_load_balancer, LoadBalancerArn=arn)
    balancers.delete_load_balancer(LoadBalancerArn=arn)
    refused("LoadBalancerNotFound", balancers.describe_load_balancers, LoadBalancerArns=[arn])


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


@check("route53.record_made_again")
def _(aws: Aws) -> None:
    route53 = aws("route53")
    zone = route53.create_hosted_zone(Name="again.example", CallerReference="again")["HostedZone"]["Id"]
    record = {"Name": "a.again.example.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    other = {**record, "Type": "TXT", "ResourceRecords": [{"Value": '"x"'}]}
    for action, what in (("CREATE", record), ("CREATE", other), ("DELETE", record), ("CREATE", record)):
        changes = [{"Action": action, "ResourceRecordSet": what}]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


@check("applicationautoscaling.tags")
def _(aws: Aws) -> None:
    service(aws, "scaled")
    scaling = aws("application-autoscaling")
    target = {"ServiceNamespace": "ecs", "ResourceId": "service/scaled/scaled", "ScalableDimension": "ecs:service:DesiredCount"}
    arn = scaling.register_scalable_target(MinCapacity=1, MaxCapacity=2, Tags={"a": "b"}, **target)["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"c": "d"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    expect(scaling.list_tags_for_resource(ResourceARN=arn)["Tags"], {"c": "d"})


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


@check("secretsmanager.moved_current_version")
def _(aws: Aws) -> None:
    manager = aws("secretsmanager")
    first = manager.create_secret(Name="check", SecretString="one")["VersionId"]
    second = manager.put_secret_value(SecretId="check", SecretString="two")["VersionId"]
    manager.update_secret_version_stage(SecretId="check", VersionStage="AWSCURRENT", RemoveFromVersionId=second, MoveToVersionId=first)
    expect(manager.get_secret_value(SecretId="check")["SecretString"], "one")
    third = manager.put_secret_value(SecretId="check", SecretString="three")["VersionId"]
    told = manager.describe_secret(SecretId="check")["VersionIdsToStages"]
    expect((told[first], told[third]), (["AWSPREVIOUS"], ["AWSCURRENT"]))


@check("route53.zone_id")
def _(aws: Aws) -> None:
    route53 = aws("route53")
    made = [route53.create_hosted_zone(Name=f"zone{number}.example", CallerReference=str(number)) for number in range(3)]
    expect({zone["HostedZone"]["Id"].removeprefix("/hostedzone/")[0] for zone in made}, {"Z"})


@check("servicediscovery.namespace_end")
def _(aws: Aws) -> None:
    cloud_map, name = aws("servicediscovery"), "ends.internal"
    made = cloud_map.create_private_dns_namespace(Name=name, Vpc=network(aws, "10.8")["vpc"])["OperationId"]
    namespace = cloud_map.get_operation(OperationId=made)["Operation"]["Targets"]["NAMESPACE"]
    for wanted in (1, 0):
        zones = [zone for zone in aws("route53").list_hosted_zones()["HostedZones"] if zone["Name"].startswith(name)]
        expect(len(zones), wanted)
        if wanted:
            cloud_map.delete_namespace(Id=namespace)

"""Checks of patches: services, their tasks and their files."""

import json
from typing import Any, Dict

from patch_checks import Aws, check, expect, network, refused


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
    expect({type(task.get("createdAt")).__name__ for task in tasks}, {"datetime"})
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


@check("ecs.client_token")
def _(aws: Aws) -> None:
    made = network(aws, "10.8")
    aws("ec2").modify_vpc_attribute(VpcId=made["vpc"], EnableDnsHostnames={"Value": True})
    aws("ecs").create_cluster(clusterName="token")
    place = {"awsvpcConfiguration": {"subnets": made["subnets"][:1], "securityGroups": [made["group"]]}}
    definition = task_definition(aws, "app:good", "token")

    def run(token: str) -> str:
        ran = aws("ecs").run_task(
            cluster="token", taskDefinition=definition, launchType="FARGATE", networkConfiguration=place, clientToken=token
        )
        return ran["tasks"][0]["taskArn"]

    expect(run("one"), run("one"))
    expect(run("one") == run("two"), False)


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


@check("applicationautoscaling.tags")
def _(aws: Aws) -> None:
    service(aws, "scaled")
    scaling = aws("application-autoscaling")
    target = {"ServiceNamespace": "ecs", "ResourceId": "service/scaled/scaled", "ScalableDimension": "ecs:service:DesiredCount"}
    arn = scaling.register_scalable_target(MinCapacity=1, MaxCapacity=2, Tags={"a": "b"}, **target)["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"c": "d"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    expect(scaling.list_tags_for_resource(ResourceARN=arn)["Tags"], {"c": "d"})

"""ECS: services keep their settings and reach a steady state; a broken image triggers the circuit breaker."""

import copy
import hashlib
import inspect
from datetime import datetime, timezone
from typing import Any

from moto.ecs.models import Cluster, Container, EC2ContainerServiceBackend, Task
from moto.ecs.responses import EC2ContainerServiceResponse

from . import around, patch

_KEPT = {
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
    "deploymentConfiguration": "deployment_configuration",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "enableExecuteCommand": "enable_execute_command",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
}


@patch("moto does not store a service's deployment settings, so that the next plan sets them again")
def service_settings() -> None:
    def keep(original: Any, response: Any) -> Any:
        answer = original(response)
        asked, service = response._get_params(), answer.result["service"]
        for parameter, attribute in _KEPT.items():
            if parameter in asked:
                setattr(service, attribute, asked[parameter])
        return answer

    @around(EC2ContainerServiceResponse)
    def create_service(original: Any, response: Any) -> Any:
        return keep(original, response)

    @around(EC2ContainerServiceResponse)
    def update_service(original: Any, response: Any) -> Any:
        return keep(original, response)


@patch("moto's services never start a task; with the patch a deployment completes, or is rolled back if an image's name contains 'broken'")
def deployments() -> None:
    @around(EC2ContainerServiceResponse)
    def create_service(original: Any, response: Any) -> Any:
        return _deploy(response, original(response))

    @around(EC2ContainerServiceResponse)
    def update_service(original: Any, response: Any) -> Any:
        return _deploy(response, original(response))


def _deploy(response: Any, answer: Any) -> Any:
    service = answer.result["service"]
    last_good = getattr(service, "last_good_task_definition", None)
    if not service.deployments:
        return answer
    deployment = service.deployments[0]
    if _is_broken(response.ecs_backend, service.task_definition):
        deployment.update(rolloutState="FAILED", failedTasks=3, runningCount=0)
        deployment["rolloutStateReason"] = "ECS deployment circuit breaker: tasks failed to start."
        if last_good is None:
            return answer
        service.task_definition, reason = last_good, "ECS deployment circuit breaker: rolling back."
    else:
        service.last_good_task_definition, reason = service.task_definition, "ECS deployment completed."
    service.running_count, service.pending_count = service.desired_count, 0
    deployment.update(status="PRIMARY", rolloutState="COMPLETED", rolloutStateReason=reason, taskDefinition=service.task_definition)
    deployment.update(desiredCount=service.desired_count, runningCount=service.desired_count, pendingCount=0)
    service.deployments = [deployment]
    _run_tasks(response.ecs_backend, service, deployment["id"])
    return answer


def _run_tasks(backend: Any, service: Any, deployment: str) -> None:
    """Replaces the tasks of a service by `desired_count` tasks of its task definition."""
    cluster = backend._get_cluster(service.cluster_name)
    running = backend.tasks.setdefault(cluster.name, {})
    group = f"service:{service.name}"
    for arn in [arn for arn, task in running.items() if task.group == group]:
        del running[arn]
    if service.task_definition is None:
        return
    definition = copy.copy(backend.describe_task_definition(service.task_definition))
    definition.network_mode = "none"  # so that no network interfaces are created
    for _ in range(service.desired_count):
        task = Task(cluster, definition, None, None, backend, group, launch_type=service.launch_type or "FARGATE", started_by=deployment)
        task.advance = lambda: None  # it runs until the service stops it
        task.created_at = task.started_at = datetime.now(timezone.utc)
        for container in task.containers:
            container.last_status, container.exitCode = "RUNNING", None
            container.image_digest = "sha256:" + hashlib.sha256(container.image.encode()).hexdigest()
        running[task.task_arn] = task


@patch("moto returns all tasks of a cluster for each service")
def tasks_of_a_service() -> None:
    @around(EC2ContainerServiceBackend)
    def list_tasks(original: Any, backend: Any, *args: Any, **asked: Any) -> Any:
        name = (inspect.signature(original).bind(backend, *args, **asked).arguments.get("service_name") or "").rpartition("/")[2]
        return [task for task in original(backend, *args, **asked) if not name or task.group == f"service:{name}"]


@patch("moto starts another task for a client token that was used before")
def client_token() -> None:
    @around(EC2ContainerServiceResponse)
    def run_task(original: Any, response: Any) -> Any:
        seen = response.ecs_backend.__dict__.setdefault("client_tokens", {})
        token = response._get_param("clientToken")
        if token in seen:
            return seen[token]
        answer = original(response)
        if token:
            seen[token] = answer
        return answer


@patch("moto keeps the tasks of a deleted service")
def service_end() -> None:
    @around(EC2ContainerServiceBackend)
    def delete_service(original: Any, backend: Any, *args: Any, **asked: Any) -> Any:
        service = original(backend, *args, **asked)
        service.desired_count, service.running_count = 0, 0
        _run_tasks(backend, service, "")
        return service


def _is_broken(backend: Any, task_definition: Any) -> bool:
    if not task_definition:
        return False
    containers = backend.describe_task_definition(task_definition).container_definitions
    return any("broken" in container.get("image", "") for container in containers)


@patch("moto cannot run a Fargate task whose containers do not set memory")
def task_without_container_memory() -> None:
    calculate = EC2ContainerServiceBackend._calculate_task_resource_requirements

    def tolerant(task_definition: Any) -> Any:
        containers = task_definition.container_definitions
        stated = [{key: value for key, value in container.items() if value is not None} for container in containers]
        task_definition.container_definitions = [{"cpu": 0, "memory": 0, **container} for container in stated]
        try:
            return calculate(task_definition)
        finally:
            task_definition.container_definitions = containers

    EC2ContainerServiceBackend._calculate_task_resource_requirements = staticmethod(tolerant)


@patch("moto's resource groups tagging API fails for a cluster that was created without tags")
def cluster_tags() -> None:
    @around(Cluster)
    def __init__(original: Any, cluster: Any, *args: Any, **kwargs: Any) -> None:
        original(cluster, *args, **kwargs)
        cluster.tags = cluster.tags or []


@patch("moto returns a container's cpu and memory as numbers; ECS returns strings, and strict clients reject numbers")
def container_sizes() -> None:
    @around(Container)
    def __init__(original: Any, container: Any, *args: Any, **kwargs: Any) -> None:
        original(container, *args, **kwargs)
        sizes = {name: getattr(container, name) for name in ("cpu", "memory")}
        vars(container).update({name: str(size) for name, size in sizes.items() if size is not None})

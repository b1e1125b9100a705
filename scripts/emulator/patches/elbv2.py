"""Load balancers: deletion protection, and the tasks of a service as targets."""

from typing import Any

from moto.ecs.models import ecs_backends
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus

from . import around, patch


@patch("moto deletes a load balancer that has deletion protection")
def deletion_protection() -> None:
    @around(ELBv2Backend)
    def delete_load_balancer(original: Any, backend: Any, arn: str) -> Any:
        balancer = backend.load_balancers.get(arn)
        if balancer and balancer.attrs.get("deletion_protection.enabled") == "true":
            reason = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            raise ELBClientError("OperationNotPermitted", reason)
        return original(backend, arn)


@patch("moto does not register the tasks of an ECS service with its target group; with the patch, running tasks are healthy targets")
def targets_of_services() -> None:
    @around(ELBv2Backend)
    def describe_target_health(original: Any, backend: Any, target_group_arn: str, targets: Any) -> Any:
        found = list(original(backend, target_group_arn, targets))
        if targets:
            return found
        for service in ecs_backends[backend.account_id][backend.region_name].services.values():
            for attached in service.load_balancers:
                if attached.get("targetGroupArn") == target_group_arn:
                    port = str(attached.get("containerPort"))
                    numbers = range(service.running_count)
                    found += [FakeHealthStatus(f"192.0.2.{number + 1}", port, port, "healthy") for number in numbers]
        return found

"""Load balancers: deletion protection protects."""

from typing import Any

from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend

from . import around, patch


@patch("moto deletes a load balancer that is protected against it")
def deletion_protection() -> None:
    @around(ELBv2Backend)
    def delete_load_balancer(original: Any, backend: Any, arn: str) -> Any:
        balancer = backend.load_balancers.get(arn)
        if balancer and balancer.attrs.get("deletion_protection.enabled") == "true":
            reason = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            raise ELBClientError("OperationNotPermitted", reason)
        return original(backend, arn)

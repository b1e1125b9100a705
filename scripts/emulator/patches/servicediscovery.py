"""Cloud Map: the private zone of a namespace is deleted with it."""

from typing import Any

from moto.route53.models import route53_backends
from moto.servicediscovery.models import ServiceDiscoveryBackend

from . import around, patch


@patch("moto keeps the private hosted zone of a deleted namespace")
def namespace_end() -> None:
    @around(ServiceDiscoveryBackend)
    def delete_namespace(original: Any, backend: Any, namespace_id: str) -> Any:
        namespace = backend.namespaces.get(namespace_id)
        operation = original(backend, namespace_id)
        zone = (namespace.dns_properties or {}).get("HostedZoneId", "").rpartition("/")[2]
        for zones in route53_backends[backend.account_id].values():
            zones.zones.pop(zone, None)
        return operation

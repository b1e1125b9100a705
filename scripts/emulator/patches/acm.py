"""Certificate Manager: a certificate is issued when its validation record exists, not after some time."""

import sys
from typing import Any, List

from moto.acm.exceptions import AWSError
from moto.acm.models import AWSCertificateManagerBackend, CertBundle
from moto.core.utils import utcnow
from moto.route53.models import route53_backends

from . import around, patch

_unpatched_describe = CertBundle.describe


@patch("moto issues a certificate after some time, even if its validation record does not exist")
def dns_validation() -> None:
    @around(CertBundle)
    def check(original: Any, certificate: Any) -> None:
        before = certificate.status
        original(certificate)
        if before == "PENDING_VALIDATION" and certificate.status == "ISSUED":
            if not _is_validated(certificate):
                certificate.status = before
            else:
                certificate.issued_at = utcnow()

    @around(CertBundle)
    def describe(original: Any, certificate: Any) -> Any:
        described = original(certificate)
        answer = described["Certificate"]
        if certificate.type != "AMAZON_ISSUED":
            return described
        if certificate.status == "PENDING_VALIDATION":
            for not_yet_set in ("IssuedAt", "NotBefore", "NotAfter", "Serial", "Issuer"):
                answer.pop(not_yet_set, None)
        else:
            answer["IssuedAt"] = getattr(certificate, "issued_at", certificate.created_at).timestamp()
        return described


@patch("moto returns the validation record at once; ACM needs some seconds, so that a client must call again")
def late_validation_record() -> None:
    @around(CertBundle)
    def describe(original: Any, certificate: Any) -> Any:
        described = original(certificate)
        if not getattr(certificate, "was_described", False):
            certificate.was_described = True
            for option in described["Certificate"].get("DomainValidationOptions", []):
                option.pop("ResourceRecord", None)
        return described


@patch("moto keeps a deleted load balancer in a certificate's InUseBy, and deletes a certificate that is in use")
def users() -> None:
    @around(CertBundle)
    def describe(original: Any, certificate: Any) -> Any:
        described = original(certificate)
        described["Certificate"]["InUseBy"] = _users(certificate.arn)
        return described

    @around(AWSCertificateManagerBackend)
    def delete_certificate(original: Any, backend: Any, arn: str) -> None:
        if _users(arn):
            raise InUse(f"Certificate {arn} in account {backend.account_id} is in use.")
        original(backend, arn)


class InUse(AWSError):
    TYPE = "ResourceInUseException"


def _users(arn: str) -> List[str]:
    """The load balancers with a listener that uses the certificate."""
    # Importing it is slow. If it is not loaded, there are no load balancers.
    load_balancing = sys.modules.get("moto.elbv2.models")
    if load_balancing is None:
        return []
    region, account = arn.split(":")[3:5]
    listeners = [
        (balancer, listener)
        for balancer in load_balancing.elbv2_backends[account][region].load_balancers.values()
        for listener in balancer.listeners.values()
    ]
    return sorted({balancer.arn for balancer, listener in listeners if arn in (listener.certificate, *listener.certificates)})


def _is_validated(certificate: Any) -> bool:
    """Whether the validation record of each name is in a public zone of the certificate's account."""
    account = certificate.arn.split(":")[4]
    zones = [zone for backend in route53_backends[account].values() for zone in backend.zones.values() if not zone.private_zone]
    present = {
        (record.name.rstrip("."), value.rstrip("."))
        for zone in zones
        for record in zone.rrsets
        if record.type == "CNAME"
        for value in record.records
    }
    options = _unpatched_describe(certificate)["Certificate"]["DomainValidationOptions"]
    wanted = [option["ResourceRecord"] for option in options]
    return all((record["Name"].rstrip("."), record["Value"].rstrip(".")) in present for record in wanted)

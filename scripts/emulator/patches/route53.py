"""Route 53: ids of zones as in AWS; a deleted record can be created again."""

from typing import Any

from moto.route53.models import HostedZoneIdentifier, Route53Backend

from . import around, patch


@patch("moto's ids of hosted zones do not begin with Z, as AWS's do")
def zone_id() -> None:
    @around(HostedZoneIdentifier)
    def generate(original: Any, identifier: Any, *args: Any, **kwargs: Any) -> Any:
        return "Z" + original(identifier, *args, **kwargs)[1:]


@patch("moto searches for an existing record in its list of changes, which still contains deleted records")
def record_made_again() -> None:
    @around(Route53Backend)
    def change_resource_record_sets(original: Any, backend: Any, zoneid: str, change_list: Any) -> Any:
        zone = backend.get_hosted_zone(zoneid)
        for change in change_list:
            record = change["ResourceRecordSet"]
            name = record["Name"].rstrip(".") + "."
            exists = any(known.name == name and known.type == record["Type"] for known in zone.rrsets)
            if change["Action"] == "CREATE" and not exists:
                while change in zone.rr_changes:
                    zone.rr_changes.remove(change)
        return original(backend, zoneid, change_list)

"""Route 53: zones with ids as AWS makes them; a record that was deleted may be made again."""

from typing import Any

from moto.route53.models import HostedZoneIdentifier, Route53Backend

from . import around, patch


@patch("moto's ids of hosted zones do not look like AWS's, which begin with Z")
def zone_id() -> None:
    @around(HostedZoneIdentifier)
    def generate(original: Any, identifier: Any, *args: Any, **kwargs: Any) -> Any:
        return "Z" + original(identifier, *args, **kwargs)[1:]


@patch("moto looks for an existing record in its journal of changes, which still has a deleted one")
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

"""EC2: descriptions of security-group rules, and subnets with IPv6."""

from typing import Any

from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.models.subnets import Subnet

from . import around, patch


@patch("moto does not return the description of a rule whose source is a security group")
def rule_description() -> None:
    def description(rule: Any) -> Any:
        return rule.ip_range.get("Description") or (rule.source_group or {}).get("Description")

    SecurityGroupRule.description = property(description)


@patch("moto cannot find a subnet by the association of its IPv6 block, which is how the provider waits for it")
def subnet_by_ipv6_association() -> None:
    @around(Subnet)
    def get_filter_value(original: Any, subnet: Any, filter_name: str, method_name: Any = None) -> Any:
        if filter_name == "ipv6-cidr-block-association.association-id":
            return list(subnet.ipv6_cidr_block_associations)
        return original(subnet, filter_name, method_name)


@patch("moto nests the state of a subnet's IPv6 block twice, so that the provider waits for it until the timeout")
def ipv6_block_state() -> None:
    def associations(subnet: Any) -> Any:
        states = [(one, one["ipv6CidrBlockState"]["State"]) for one in subnet.ipv6_cidr_block_associations.values()]
        return [{**one, "ipv6CidrBlockState": {"state": state}} for one, state in states if state == "associated"]

    Subnet.ipv6_cidr_block_association_set = property(associations)

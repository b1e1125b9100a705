"""What a client of AWS may expect, one check a patch: run against the patched emulator and against moto alone."""

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

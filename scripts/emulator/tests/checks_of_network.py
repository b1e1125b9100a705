"""Checks of patches: names, certificates, networks and load balancers."""

import time
from typing import Any, Dict

from patch_checks import Aws, check, expect, network, refused


@check("acm.dns_validation")
def _(aws: Aws) -> None:
    acm, route53 = aws("acm"), aws("route53")
    zone = route53.create_hosted_zone(Name="proven.example", CallerReference="proven")["HostedZone"]["Id"]
    unproven = acm.request_certificate(DomainName="unproven.example", ValidationMethod="DNS")["CertificateArn"]
    proven = acm.request_certificate(DomainName="proven.example", ValidationMethod="DNS")["CertificateArn"]
    acm.describe_certificate(CertificateArn=proven)
    record = acm.describe_certificate(CertificateArn=proven)["Certificate"]["DomainValidationOptions"][0]["ResourceRecord"]
    records = {"Name": record["Name"], "Type": record["Type"], "TTL": 60, "ResourceRecords": [{"Value": record["Value"]}]}
    changes = [{"Action": "UPSERT", "ResourceRecordSet": records}]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    while acm.describe_certificate(CertificateArn=proven)["Certificate"]["Status"] != "ISSUED":
        time.sleep(0.1)
    waiting = acm.describe_certificate(CertificateArn=unproven)["Certificate"]
    expect(waiting["Status"], "PENDING_VALIDATION")
    expect("IssuedAt" in waiting, False)


@check("acm.late_validation_record")
def _(aws: Aws) -> None:
    acm = aws("acm")
    arn = acm.request_certificate(DomainName="late.example", ValidationMethod="DNS")["CertificateArn"]
    shown = ["ResourceRecord" in acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"][0] for _ in "12"]
    expect(shown, [False, True])


@check("acm.users")
def _(aws: Aws) -> None:
    acm, balancers, made = aws("acm"), aws("elbv2"), network(aws, "10.7")
    certificate = acm.request_certificate(DomainName="used.example", ValidationMethod="DNS")["CertificateArn"]
    balancer = balancers.create_load_balancer(Name="uses", Subnets=made["subnets"])["LoadBalancers"][0]["LoadBalancerArn"]
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    asked = {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": certificate}], "DefaultActions": [answer]}
    balancers.create_listener(LoadBalancerArn=balancer, **asked)
    expect(acm.describe_certificate(CertificateArn=certificate)["Certificate"]["InUseBy"], [balancer])
    refused("ResourceInUseException", acm.delete_certificate, CertificateArn=certificate)
    balancers.delete_load_balancer(LoadBalancerArn=balancer)
    expect(acm.describe_certificate(CertificateArn=certificate)["Certificate"]["InUseBy"], [])
    acm.delete_certificate(CertificateArn=certificate)


@check("ec2.rule_description")
def _(aws: Aws) -> None:
    ec2, made = aws("ec2"), network(aws, "10.1")
    peer = [{"GroupId": made["group"], "Description": "from itself"}]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": peer}
    ec2.authorize_security_group_ingress(GroupId=made["group"], IpPermissions=[rule])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [made["group"]]}])["SecurityGroupRules"]
    expect([rule.get("Description") for rule in rules if not rule["IsEgress"]], ["from itself"])


def subnet_with_ipv6(aws: Aws, block: str) -> Dict[str, Any]:
    vpc = aws("ec2").create_vpc(CidrBlock=f"{block}.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    ipv6 = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    return aws("ec2").create_subnet(VpcId=vpc["VpcId"], CidrBlock=f"{block}.0.0/24", Ipv6CidrBlock=ipv6)["Subnet"]


@check("ec2.ipv6_block_state")
def _(aws: Aws) -> None:
    made = subnet_with_ipv6(aws, "10.6")["SubnetId"]
    subnet = aws("ec2").describe_subnets(SubnetIds=[made])["Subnets"][0]
    expect([one["Ipv6CidrBlockState"] for one in subnet["Ipv6CidrBlockAssociationSet"]], [{"State": "associated"}])


@check("ec2.subnet_by_ipv6_association")
def _(aws: Aws) -> None:
    ec2, subnet = aws("ec2"), subnet_with_ipv6(aws, "10.2")
    association = subnet["Ipv6CidrBlockAssociationSet"][0]["AssociationId"]
    asked = [{"Name": "ipv6-cidr-block-association.association-id", "Values": [association]}]
    expect([found["SubnetId"] for found in ec2.describe_subnets(Filters=asked)["Subnets"]], [subnet["SubnetId"]])


@check("elbv2.deletion_protection")
def _(aws: Aws) -> None:
    balancers, made = aws("elbv2"), network(aws, "10.5")
    arn = balancers.create_load_balancer(Name="protected", Subnets=made["subnets"])["LoadBalancers"][0]["LoadBalancerArn"]
    for wanted in ("true", "false"):
        protection = [{"Key": "deletion_protection.enabled", "Value": wanted}]
        balancers.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protection)
        if wanted == "true":
            refused("OperationNotPermitted", balancers.delete_load_balancer, LoadBalancerArn=arn)
    balancers.delete_load_balancer(LoadBalancerArn=arn)
    refused("LoadBalancerNotFound", balancers.describe_load_balancers, LoadBalancerArns=[arn])


@check("elbv2.targets_of_services")
def _(aws: Aws) -> None:
    balancers, ecs, made = aws("elbv2"), aws("ecs"), network(aws, "10.6")
    group = balancers.create_target_group(Name="served", Protocol="HTTP", Port=8080, VpcId=made["vpc"], TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    ecs.create_cluster(clusterName="served")
    container = {"name": "app", "image": "app:1", "memory": 512, "portMappings": [{"containerPort": 8080}]}
    ecs.register_task_definition(family="served", containerDefinitions=[container])
    attached = [{"targetGroupArn": arn, "containerName": "app", "containerPort": 8080}]
    ecs.create_service(cluster="served", serviceName="served", taskDefinition="served", desiredCount=2, loadBalancers=attached)
    health = balancers.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    expect([(one["Target"]["Port"], one["TargetHealth"]["State"]) for one in health], [(8080, "healthy")] * 2)


@check("route53.record_made_again")
def _(aws: Aws) -> None:
    route53 = aws("route53")
    zone = route53.create_hosted_zone(Name="again.example", CallerReference="again")["HostedZone"]["Id"]
    record = {"Name": "a.again.example.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    other = {**record, "Type": "TXT", "ResourceRecords": [{"Value": '"x"'}]}
    for action, what in (("CREATE", record), ("CREATE", other), ("DELETE", record), ("CREATE", record)):
        changes = [{"Action": action, "ResourceRecordSet": what}]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


@check("route53.zone_id")
def _(aws: Aws) -> None:
    route53 = aws("route53")
    made = [route53.create_hosted_zone(Name=f"zone{number}.example", CallerReference=str(number)) for number in range(3)]
    expect({zone["HostedZone"]["Id"].removeprefix("/hostedzone/")[0] for zone in made}, {"Z"})


@check("servicediscovery.namespace_end")
def _(aws: Aws) -> None:
    cloud_map, name = aws("servicediscovery"), "ends.internal"
    made = cloud_map.create_private_dns_namespace(Name=name, Vpc=network(aws, "10.8")["vpc"])["OperationId"]
    namespace = cloud_map.get_operation(OperationId=made)["Operation"]["Targets"]["NAMESPACE"]
    for wanted in (1, 0):
        zones = [zone for zone in aws("route53").list_hosted_zones()["HostedZones"] if zone["Name"].startswith(name)]
        expect(len(zones), wanted)
        if wanted:
            cloud_map.delete_namespace(Id=namespace)

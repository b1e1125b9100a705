//! VPC, security groups, DNS records.

use super::grant::{ALWAYS, ANY, Grant, OURS, TAGGED, allow};

const EC2: &[&str] = &["arn:{p}:ec2:{r}:{a}:*"];

pub(super) const GRANTS: &[Grant] = &[
    allow("NetworkRead", "ec2", "Describe* GetEbsEncryptionByDefault", ANY, ALWAYS),
    allow(
        "NetworkNew",
        "ec2",
        "AllocateAddress CreateFlowLogs CreateInternetGateway CreateNatGateway CreateNetworkInterface CreateRouteTable \
         CreateSecurityGroup CreateSubnet CreateVpc CreateVpcEndpoint DeleteNetworkInterface",
        EC2,
        ALWAYS,
    ),
    allow(
        "NetworkOurs",
        "ec2",
        "AssociateRouteTable AssociateSubnetCidrBlock AssociateVpcCidrBlock AttachInternetGateway \
         CreateRoute DeleteFlowLogs DeleteInternetGateway DeleteNatGateway DeleteRoute DeleteRouteTable \
         DeleteSecurityGroup DeleteSubnet DeleteTags DeleteVpc DeleteVpcEndpoints DetachInternetGateway DisassociateAddress \
         DisassociateRouteTable DisassociateSubnetCidrBlock DisassociateVpcCidrBlock ModifySubnetAttribute \
         ModifyVpcAttribute ModifyVpcEndpoint ReleaseAddress ReplaceRoute ReplaceRouteTableAssociation CreateTags",
        EC2,
        OURS,
    ),
    allow("NetworkTags", "ec2", "CreateTags", EC2, TAGGED),
    allow("RulesOfOurGroups", "ec2", RULES, &["arn:{p}:ec2:{r}:{a}:security-group/*"], OURS),
    // A new rule has no tags yet; its security group has.
    allow("Rules", "ec2", RULES, &["arn:{p}:ec2:{r}:{a}:security-group-rule/*"], ALWAYS),
    // Private DNS of the namespace and the endpoints: both services call Route 53 with the caller's permissions.
    allow(
        "PrivateZones",
        "route53",
        "AssociateVPCWithHostedZone CreateHostedZone DeleteHostedZone",
        ANY,
        ALWAYS,
    ),
    Grant {
        deny: true,
        ..allow(
            "KeepTheZone",
            "route53",
            "DeleteHostedZone",
            &["arn:{p}:route53:::hostedzone/{zone}"],
            ALWAYS,
        )
    },
    allow(
        "NamesRead",
        "route53",
        "GetChange GetHostedZone ListHostedZones ListHostedZonesByName ListResourceRecordSets ListTagsForResource",
        ANY,
        ALWAYS,
    ),
    allow("Names", "route53", "ChangeResourceRecordSets", &["arn:{p}:route53:::hostedzone/{zone}"], ALWAYS),
];

const RULES: &str = "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress ModifySecurityGroupRules \
     RevokeSecurityGroupEgress RevokeSecurityGroupIngress";

//! ECS tasks, load balancer, scaling, web ACL, service discovery.

use super::grant::{ALWAYS, ANY, Grant, IN_REGION, OURS, allow};

pub(super) const GRANTS: &[Grant] = &[
    allow(
        "TasksRead",
        "ecs",
        "DeregisterTaskDefinition DescribeTaskDefinition ListClusters ListServices ListTaskDefinitions ListTasks",
        ANY,
        IN_REGION,
    ),
    allow(
        "Tasks",
        "ecs",
        "CreateCluster CreateService DeleteCluster DeleteService DescribeClusters DescribeServiceDeployments \
         DescribeServices DescribeTasks ListServiceDeployments ListTagsForResource PutClusterCapacityProviders \
         RegisterTaskDefinition RunTask StopTask TagResource UntagResource UpdateCluster UpdateClusterSettings \
         UpdateService",
        &[
            "arn:{p}:ecs:{r}:{a}:cluster/{name}",
            "arn:{p}:ecs:{r}:{a}:service/{name}/*",
            "arn:{p}:ecs:{r}:{a}:service-deployment/{name}/*",
            "arn:{p}:ecs:{r}:{a}:task/{name}/*",
            "arn:{p}:ecs:{r}:{a}:task-definition/{name}-*",
        ],
        ALWAYS,
    ),
    allow(
        "Scaling",
        "application-autoscaling",
        "DeleteScalingPolicy DeleteScheduledAction DeregisterScalableTarget DescribeScalableTargets \
         DescribeScalingPolicies DescribeScheduledActions ListTagsForResource PutScalingPolicy PutScheduledAction \
         RegisterScalableTarget TagResource UntagResource",
        ANY,
        IN_REGION,
    ),
    // The app's image may be in any Amazon ECR repository; the repository policy of another account decides who may read it.
    allow("ImagesRead", "ecr", "BatchGetImage GetAuthorizationToken GetDownloadUrlForLayer", ANY, ALWAYS),
    allow("EdgeRead", "elasticloadbalancing", "Describe*", ANY, IN_REGION),
    allow(
        "Edge",
        "elasticloadbalancing",
        "AddTags CreateListener CreateLoadBalancer CreateRule CreateTargetGroup DeleteListener DeleteLoadBalancer DeleteRule \
         DeleteTargetGroup ModifyListener ModifyListenerAttributes ModifyLoadBalancerAttributes ModifyRule ModifyTargetGroup \
         ModifyTargetGroupAttributes RemoveTags SetIpAddressType SetSecurityGroups SetSubnets SetWebAcl",
        &[
            "arn:{p}:elasticloadbalancing:{r}:{a}:loadbalancer/app/{name}/*",
            "arn:{p}:elasticloadbalancing:{r}:{a}:listener/app/{name}/*",
            "arn:{p}:elasticloadbalancing:{r}:{a}:listener-rule/app/{name}/*",
            "arn:{p}:elasticloadbalancing:{r}:{a}:targetgroup/{name}/*",
        ],
        ALWAYS,
    ),
    // A web ACL of the organisation can be associated with our load balancer and disassociated, but not changed.
    allow(
        "Shield",
        "wafv2",
        "AssociateWebACL DisassociateWebACL GetWebACL GetWebACLForResource",
        &[
            "arn:{p}:wafv2:{r}:{a}:regional/webacl/*",
            "arn:{p}:elasticloadbalancing:{r}:{a}:loadbalancer/app/{name}/*",
        ],
        ALWAYS,
    ),
    // Only the web ACL of `operations.waf`, which has the environment's name, is created and changed.
    allow(
        "OwnShield",
        "wafv2",
        "CreateWebACL DeleteLoggingConfiguration DeleteWebACL GetLoggingConfiguration ListTagsForResource \
         PutLoggingConfiguration TagResource UntagResource UpdateWebACL",
        &["arn:{p}:wafv2:{r}:{a}:regional/webacl/{name}/*", "arn:{p}:wafv2:{r}:*:regional/managedruleset/*"],
        ALWAYS,
    ),
    allow(
        "DiscoveryNew",
        "servicediscovery",
        "CreatePrivateDnsNamespace CreateService Get* List* TagResource",
        ANY,
        IN_REGION,
    ),
    allow(
        "Discovery",
        "servicediscovery",
        "DeleteNamespace DeleteService UntagResource UpdatePrivateDnsNamespace UpdateService",
        ANY,
        OURS,
    ),
];

# A dashboard for availability, response times and resource usage.
locals {
  # The metrics have the format of the CloudWatch dashboard body: [namespace, metric, dimension, value, …].
  dashboard = [
    { title = "Requests and errors", stat = "Sum", metrics = [
      ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", aws_lb.main.arn_suffix],
      [".", "HTTPCode_Target_5XX_Count", ".", "."],
      [".", "HTTPCode_ELB_5XX_Count", ".", "."],
    ] },
    { title = "Response time (p95, seconds)", stat = "p95", metrics = [
      ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", aws_lb.main.arn_suffix],
    ] },
    { title = "Tasks of the app", stat = "Maximum", metrics = [
      ["AWS/ApplicationELB", "HealthyHostCount", "TargetGroup", aws_lb_target_group.app.arn_suffix, "LoadBalancer", aws_lb.main.arn_suffix],
      [".", "UnHealthyHostCount", ".", ".", ".", "."],
      ["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", local.name, "ServiceName", local.services.app],
    ] },
    { title = "CPU and memory of the tasks (%)", stat = "Average", metrics = [
      for pair in setproduct(["app", "elasticsearch"], ["CPUUtilization", "MemoryUtilization"]) :
      ["AWS/ECS", pair[1], "ClusterName", local.name, "ServiceName", local.services[pair[0]]]
    ] },
    { title = "Database: CPU (%) and connections", stat = "Maximum", metrics = [
      ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", local.name],
      [".", "DatabaseConnections", ".", "."],
    ] },
    { title = "Database: free storage and memory (bytes)", stat = "Minimum", metrics = [
      ["AWS/RDS", "FreeStorageSpace", "DBInstanceIdentifier", local.name],
      [".", "FreeableMemory", ".", "."],
    ] },
    { title = "Session cache: memory (%)", stat = "Maximum", metrics = [
      for node in local.cache_nodes : ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", node]
    ] },
    { title = "Out through NAT (bytes)", stat = "Sum", metrics = [
      for zone in local.nat_zones : ["AWS/NATGateway", "BytesOutToDestination", "NatGatewayId", aws_nat_gateway.main[zone].id]
    ] },
  ]
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = local.name
  dashboard_body = jsonencode({
    widgets = [for i, graph in local.dashboard : {
      type   = "metric"
      x      = 12 * (i % 2)
      y      = 6 * floor(i / 2)
      width  = 12
      height = 6
      properties = {
        title   = graph.title
        region  = local.region
        stat    = graph.stat
        period  = 300
        view    = "timeSeries"
        metrics = graph.metrics
      }
    }]
  })
}

"""ElastiCache: parameter groups; members, changes and deletion of replication groups."""

import inspect
import re
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult, PaginatedResult
from moto.elasticache.models import CacheCluster, ElastiCacheBackend, ReplicationGroup
from moto.elasticache.responses import ElastiCacheResponse

from . import add, around, patch, store


class ParameterGroupNotFound(ServiceException):
    code = "CacheParameterGroupNotFound"


def _parameter_group(response: Any, name: str) -> Any:
    group = store(response, "parameter-groups").get(name)
    if group is None:
        raise ParameterGroupNotFound(f"CacheParameterGroup not found: {name}")
    return group


@patch("moto has no cache parameter groups")
def parameter_groups() -> None:
    @add(ElastiCacheResponse)
    def create_cache_parameter_group(response: Any) -> Any:
        asked = response._get_params()
        name = asked["CacheParameterGroupName"]
        group = {
            "CacheParameterGroupName": name,
            "CacheParameterGroupFamily": asked["CacheParameterGroupFamily"],
            "Description": asked.get("Description", ""),
            "IsGlobal": False,
            "ARN": f"arn:aws:elasticache:{response.region}:{response.current_account}:parametergroup:{name}",
            "parameters": {},
            "tags": asked.get("Tags", []),
        }
        store(response, "parameter-groups")[name] = group
        return ActionResult({"CacheParameterGroup": group})

    @add(ElastiCacheResponse)
    def describe_cache_parameter_groups(response: Any) -> Any:
        name = response._get_param("CacheParameterGroupName")
        groups = [_parameter_group(response, name)] if name else list(store(response, "parameter-groups").values())
        return PaginatedResult({"CacheParameterGroups": groups})

    @add(ElastiCacheResponse)
    def modify_cache_parameter_group(response: Any) -> Any:
        asked = response._get_params()
        group = _parameter_group(response, asked["CacheParameterGroupName"])
        for parameter in asked.get("ParameterNameValues", []):
            group["parameters"][parameter["ParameterName"]] = parameter["ParameterValue"]
        return ActionResult({"CacheParameterGroupName": group["CacheParameterGroupName"]})

    @add(ElastiCacheResponse)
    def reset_cache_parameter_group(response: Any) -> Any:
        asked = response._get_params()
        group = _parameter_group(response, asked["CacheParameterGroupName"])
        for parameter in asked.get("ParameterNameValues", []):
            group["parameters"].pop(parameter["ParameterName"], None)
        return ActionResult({"CacheParameterGroupName": group["CacheParameterGroupName"]})

    @add(ElastiCacheResponse)
    def describe_cache_parameters(response: Any) -> Any:
        group = _parameter_group(response, response._get_param("CacheParameterGroupName"))
        set_by_user = {"Source": "user", "IsModifiable": True}
        parameters = [{"ParameterName": name, "ParameterValue": value, **set_by_user} for name, value in group["parameters"].items()]
        return PaginatedResult({"Parameters": parameters})

    @add(ElastiCacheResponse)
    def delete_cache_parameter_group(response: Any) -> Any:
        name = response._get_param("CacheParameterGroupName")
        _parameter_group(response, name)
        del store(response, "parameter-groups")[name]
        return EmptyResult()

    @around(ElastiCacheResponse)
    def list_tags_for_resource(original: Any, response: Any) -> Any:
        arn = response._get_param("ResourceName")
        if ":parametergroup:" in arn:
            return ActionResult({"TagList": _parameter_group(response, arn.rsplit(":", 1)[1])["tags"]})
        return original(response)


@patch("moto ignores NumCacheClusters: its replication groups have no member clusters")
def member_clusters() -> None:
    known = [name for name in inspect.signature(CacheCluster.__init__).parameters if name != "self"]

    @around(ReplicationGroup)
    def __init__(original: Any, group: Any, **asked: Any) -> None:
        several = (asked.get("num_cache_clusters") or 0) > 1
        if several and not asked.get("replicas_per_node_group") and not asked.get("num_node_groups"):
            asked["replicas_per_node_group"] = asked["num_cache_clusters"] - 1
        if asked.get("transit_encryption_enabled") and not asked.get("transit_encryption_mode"):
            asked["transit_encryption_mode"] = "required"
        original(group, **asked)

    @around(ElastiCacheBackend)
    def create_replication_group(original: Any, backend: Any, **asked: Any) -> Any:
        group = original(backend, **asked)
        for name in group.member_clusters:
            settings = {key: asked.get(key) for key in known}
            settings.update(account_id=backend.account_id, region_name=backend.region_name, cache_cluster_id=name, auth_token=None)
            settings["preferred_maintenance_window"] = asked.get("preferred_maintenance_window") or "sun:05:00-sun:06:00"
            backend.cache_clusters[name] = _member(CacheCluster(**settings), group, asked)
        return group

    def _member(cluster: Any, group: Any, asked: Any) -> Any:
        parameter_group = asked.get("cache_parameter_group_name") or "default.redis7"
        cluster.cache_parameter_group = {"CacheParameterGroupName": parameter_group, "ParameterApplyStatus": "in-sync"}
        cluster.security_groups = [{"SecurityGroupId": name, "Status": "active"} for name in asked.get("security_group_ids") or []]
        cluster.auth_token_enabled = bool(asked.get("auth_token"))
        cluster.at_rest_encryption_enabled = bool(asked.get("at_rest_encryption_enabled"))
        cluster.transit_encryption_mode = group.transit_encryption_mode
        if re.fullmatch(r"\d+\.\d+", cluster.engine_version or ""):
            cluster.engine_version += ".0"
        return cluster


@patch("moto's replication groups remain in the state 'deleting'")
def replication_group_end() -> None:
    @around(ElastiCacheBackend)
    def delete_replication_group(original: Any, backend: Any, replication_group_id: str, retain_primary_cluster: Any = None) -> Any:
        group = original(backend, replication_group_id, retain_primary_cluster)
        del backend.replication_groups[replication_group_id]
        for name in [name for name in backend.cache_clusters if name.startswith(replication_group_id + "-")]:
            del backend.cache_clusters[name]
        return group


@patch("moto has no ModifyReplicationGroup")
def replication_group_change() -> None:
    of_group = {"ReplicationGroupDescription": "description", "CacheNodeType": "cache_node_type", "SnapshotWindow": "snapshot_window"}
    of_member = {
        "EngineVersion": "engine_version",
        "CacheNodeType": "cache_node_type",
        "PreferredMaintenanceWindow": "preferred_maintenance_window",
    }

    @add(ElastiCacheResponse)
    def modify_replication_group(response: Any) -> Any:
        asked, backend = response._get_params(), response.elasticache_backend
        group = backend.describe_replication_groups(asked["ReplicationGroupId"])[0]
        _set(group, of_group, asked)
        if asked.get("SnapshotRetentionLimit"):
            group.snapshot_retention_limit = int(asked["SnapshotRetentionLimit"])
        if asked.get("AuthToken"):
            group.auth_token_enabled = True
        for name in group.member_clusters:
            _set(backend.cache_clusters[name], of_member, asked)
        return ActionResult({"ReplicationGroup": group})

    def _set(thing: Any, attributes: Any, asked: Any) -> None:
        for parameter, attribute in attributes.items():
            if asked.get(parameter):
                setattr(thing, attribute, asked[parameter])


@patch("moto has no DeleteCacheSubnetGroup")
def subnet_group_end() -> None:
    @add(ElastiCacheResponse)
    def delete_cache_subnet_group(response: Any) -> Any:
        name, backend = response._get_param("CacheSubnetGroupName"), response.elasticache_backend
        backend.describe_cache_subnet_groups(name)
        del backend.cache_subnet_groups[name]
        return EmptyResult()

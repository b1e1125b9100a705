"""RDS: instances have different resource ids and keep their settings."""

import uuid
from typing import Any

from moto.rds.models import DBInstance, DBParameterGroup, RDSBackend
from moto.rds.responses import RDSResponse

from . import around, patch

_KEPT = {
    "MonitoringInterval": "monitoring_interval",
    "MonitoringRoleArn": "monitoring_role_arn",
    "PerformanceInsightsKMSKeyId": "performance_insights_kms_key_id",
    "PerformanceInsightsRetentionPeriod": "performance_insights_retention_period",
    "EnablePerformanceInsights": "performance_insights_enabled",
}


@patch("moto gives every instance the same DbiResourceId, so that a second one cannot be found")
def resource_id() -> None:
    @around(DBInstance)
    def __init__(original: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        original(instance, *args, **kwargs)
        # A restored instance has a new id, even with the old name; a renamed instance keeps its id.
        instance.dbi_resource_id = "db-" + uuid.uuid4().hex[:26].upper()


@patch("moto does not store an instance's monitoring and Performance Insights settings")
def monitoring() -> None:
    def keep(original: Any, response: Any) -> Any:
        asked = {attribute: response.params.get(parameter) for parameter, attribute in _KEPT.items()}
        answer = original(response)
        for attribute, value in asked.items():
            if value is not None:
                setattr(answer.result["DBInstance"], attribute, value)
        return answer

    @around(RDSResponse)
    def create_db_instance(original: Any, response: Any) -> Any:
        return keep(original, response)

    @around(RDSResponse)
    def modify_db_instance(original: Any, response: Any) -> Any:
        return keep(original, response)


@patch("moto does not report that a parameter was set by the user, so that the next plan sets it again")
def parameter_source() -> None:
    @around(DBParameterGroup)
    def update_parameters(original: Any, group: Any, new_parameters: Any) -> None:
        parameters = list(new_parameters)
        original(group, parameters)
        for parameter in parameters:
            group.parameters[parameter["ParameterName"]]["Source"] = "user"


@patch("moto describes a database that was restored to a point in time as a replica of its source")
def restored() -> None:
    @around(RDSBackend)
    def restore_db_instance_to_point_in_time(original: Any, backend: Any, *args: Any, **kwargs: Any) -> Any:
        instance = original(backend, *args, **kwargs)
        instance.source_db_instance_identifier = None
        return instance


@patch("moto returns an empty list of orderable classes, because it has no data; AWS's empty list means that a class is not offered")
def orderable() -> None:
    @around(RDSResponse)
    def describe_orderable_db_instance_options(_original: Any, _response: Any) -> Any:
        raise NotImplementedError

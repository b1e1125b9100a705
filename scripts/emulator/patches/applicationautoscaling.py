"""Application Auto Scaling: the tags of a scalable target."""

import json
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from . import add, around, patch, store


def _tags(response: Any, arn: str) -> Any:
    return store(response, "tags").setdefault(arn, {})


@patch("moto does not store the tags of a scalable target")
def tags() -> None:
    @around(ApplicationAutoScalingResponse)
    def register_scalable_target(original: Any, response: Any) -> Any:
        answer = original(response)
        asked = json.loads(response.body)
        _tags(response, json.loads(answer)["ScalableTargetARN"]).update(asked.get("Tags") or {})
        return answer

    @add(ApplicationAutoScalingResponse)
    def list_tags_for_resource(response: Any) -> Any:
        return json.dumps({"Tags": _tags(response, json.loads(response.body)["ResourceARN"])})

    @add(ApplicationAutoScalingResponse)
    def tag_resource(response: Any) -> Any:
        asked = json.loads(response.body)
        _tags(response, asked["ResourceARN"]).update(asked["Tags"])
        return "{}"

    @add(ApplicationAutoScalingResponse)
    def untag_resource(response: Any) -> Any:
        asked = json.loads(response.body)
        for key in asked["TagKeys"]:
            _tags(response, asked["ResourceARN"]).pop(key, None)
        return "{}"

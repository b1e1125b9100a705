"""S3: names of elements in responses, and bucket policies that require TLS."""

import json
from typing import Any, Dict

from moto.core.serialize import S3Serializer
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

from . import around, patch


@patch("moto names the root element of the versioning response after the operation, which strict clients reject")
def versioning_answer() -> None:
    @around(S3Serializer)
    def _serialize_body(original: Any, serializer: Any, body: Dict[str, Any]) -> Any:
        if "GetBucketVersioningResponse" in body:
            body = {"VersioningConfiguration": body["GetBucketVersioningResponse"]}
        return original(serializer, body)


@patch("moto ignores conditions in a bucket policy: a policy that denies requests without TLS denies all requests")
def tls_only_policy() -> None:
    @around(FakeBucket)
    def get_permission(original: Any, bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return original(bucket, action, resource)
        policy = json.loads(bucket.policy.decode())
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        # Clients use TLS with AWS, so these statements would not apply.
        others = [one for one in statements if "aws:SecureTransport" not in one.get("Condition", {}).get("Bool", {})]
        if not others:
            return PermissionResult.NEUTRAL
        return IAMPolicy(json.dumps({**policy, "Statement": others})).is_action_permitted(action, resource)

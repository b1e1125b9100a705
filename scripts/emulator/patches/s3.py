"""S3: answers carry the names that S3 gives them, and a bucket may insist on TLS."""

import json
from typing import Any, Dict

from moto.core.serialize import S3Serializer
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

from . import around, patch


@patch("moto names the answer about versioning after the operation, which a strict client refuses")
def versioning_answer() -> None:
    @around(S3Serializer)
    def _serialize_body(original: Any, serializer: Any, body: Dict[str, Any]) -> Any:
        if "GetBucketVersioningResponse" in body:
            body = {"VersioningConfiguration": body["GetBucketVersioningResponse"]}
        return original(serializer, body)


@patch("moto overlooks a bucket policy's condition: one that denies what comes without TLS closes the bucket to everybody")
def tls_only_policy() -> None:
    @around(FakeBucket)
    def get_permission(original: Any, bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return original(bucket, action, resource)
        policy = json.loads(bucket.policy.decode())
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        # The emulator takes the place of AWS, which is behind TLS, so these never apply.
        others = [one for one in statements if "aws:SecureTransport" not in one.get("Condition", {}).get("Bool", {})]
        if not others:
            return PermissionResult.NEUTRAL
        return IAMPolicy(json.dumps({**policy, "Statement": others})).is_action_permitted(action, resource)

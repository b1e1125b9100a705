"""AWS Backup: selections of a plan, the policy of a vault, and tags."""

import json
import re
import time
import uuid
from typing import Any, Tuple
from urllib.parse import unquote

from moto.backup import urls
from moto.backup.responses import BackupResponse
from moto.core.exceptions import JsonRESTError

from . import add, patch, store

_NOW = time.time()


def _selection(response: Any) -> Tuple[str, str]:
    """The ids of the plan and of the selection in the path."""
    found = re.search(r"/backup/plans/([^/]+)/selections/?([^/?]*)", unquote(response.path))
    return (found[1], found[2]) if found else ("", "")


@patch("moto has no selections of a backup plan")
def selections() -> None:
    @add(BackupResponse)
    def create_backup_selection(response: Any) -> Any:
        plan, _ = _selection(response)
        key = str(uuid.uuid4())
        asked = json.loads(response.body)["BackupSelection"]
        store(response, "selections")[key] = {"BackupPlanId": plan, "SelectionId": key, "BackupSelection": asked, "CreationDate": _NOW}
        return json.dumps({"SelectionId": key, "BackupPlanId": plan, "CreationDate": _NOW})

    @add(BackupResponse)
    def get_backup_selection(response: Any) -> Any:
        _, key = _selection(response)
        if key not in store(response, "selections"):
            raise JsonRESTError("ResourceNotFoundException", f"Cannot find selection {key}")
        return json.dumps(store(response, "selections")[key])

    @add(BackupResponse)
    def delete_backup_selection(response: Any) -> Any:
        store(response, "selections").pop(_selection(response)[1], None)
        return "{}"


@patch("moto expects a slash at the end of the path of ListTags, which the SDK for Go does not send")
def tags() -> None:
    def list_tags(response: Any) -> Any:
        arn = unquote(response.path.partition("/tags/")[2].rstrip("/"))
        return json.dumps({"Tags": response.backup_backend.list_tags(resource_arn=arn)})

    BackupResponse.list_tags = list_tags


@patch("moto has no access policy of a backup vault")
def vault_policy() -> None:
    path = "{0}/backup-vaults/(?P<name>[^/]+)/access-policy$"
    urls.url_paths[path] = BackupResponse.dispatch

    def name(response: Any) -> str:
        return str(response.path.split("/")[-2])

    @add(BackupResponse)
    def put_backup_vault_access_policy(response: Any) -> Any:
        store(response, "policies")[name(response)] = json.loads(response.body)["Policy"]
        return "{}"

    @add(BackupResponse)
    def get_backup_vault_access_policy(response: Any) -> Any:
        vault, policy = response.backup_backend.describe_backup_vault(name(response)), store(response, "policies").get(name(response))
        if policy is None:
            raise JsonRESTError("ResourceNotFoundException", f"Backup Vault {name(response)} has no policy")
        answer = {"BackupVaultName": name(response), "BackupVaultArn": vault.backup_vault_arn, "Policy": policy}
        return json.dumps(answer)

    @add(BackupResponse)
    def delete_backup_vault_access_policy(response: Any) -> Any:
        store(response, "policies").pop(name(response), None)
        return "{}"

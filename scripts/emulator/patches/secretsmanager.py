"""Secrets Manager: the label AWSCURRENT, and lists of versions."""

import json
from typing import Any

from moto.secretsmanager.exceptions import SecretNotFoundException
from moto.secretsmanager.models import SecretsManagerBackend

from . import around, patch


@patch("moto still returns the old version after AWSCURRENT was moved")
def moved_current_version() -> None:
    @around(SecretsManagerBackend)
    def update_secret_version_stage(original: Any, backend: Any, *args: Any, **kwargs: Any) -> Any:
        answer = original(backend, *args, **kwargs)
        for version, data in backend.secrets[answer[0]].versions.items():
            if "AWSCURRENT" in data["version_stages"]:
                backend.secrets[answer[0]].set_default_version_id(version)
        return answer


@patch("moto fails when it lists the versions of a secret that does not exist, and returns the current time as date of each version")
def listed_versions() -> None:
    @around(SecretsManagerBackend)
    def list_secret_version_ids(original: Any, backend: Any, secret_id: str) -> Any:
        if secret_id not in backend.secrets:
            raise SecretNotFoundException
        answer = json.loads(original(backend, secret_id))
        for version in answer["Versions"]:
            version["CreatedDate"] = backend.secrets[secret_id].versions[version["VersionId"]]["createdate"]
        return json.dumps(answer)

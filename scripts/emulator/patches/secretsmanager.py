"""Secrets Manager: the version that AWSCURRENT is moved to is the one that readers get."""

import json
from typing import Any

from moto.secretsmanager.exceptions import SecretNotFoundException
from moto.secretsmanager.models import SecretsManagerBackend

from . import around, patch


@patch("moto goes on giving readers the version that AWSCURRENT was taken from, and builds the next one on it")
def moved_current_version() -> None:
    @around(SecretsManagerBackend)
    def update_secret_version_stage(original: Any, backend: Any, *args: Any, **kwargs: Any) -> Any:
        answer = original(backend, *args, **kwargs)
        for version, held in backend.secrets[answer[0]].versions.items():
            if "AWSCURRENT" in held["version_stages"]:
                backend.secrets[answer[0]].set_default_version_id(version)
        return answer


@patch("moto breaks where the versions of a secret that does not exist are listed, and dates each version now")
def listed_versions() -> None:
    @around(SecretsManagerBackend)
    def list_secret_version_ids(original: Any, backend: Any, secret_id: str) -> Any:
        if secret_id not in backend.secrets:
            raise SecretNotFoundException
        answer = json.loads(original(backend, secret_id))
        for version in answer["Versions"]:
            version["CreatedDate"] = backend.secrets[secret_id].versions[version["VersionId"]]["createdate"]
        return json.dumps(answer)

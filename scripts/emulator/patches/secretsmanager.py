"""Secrets Manager: the version that AWSCURRENT is moved to is the one that readers get."""

from typing import Any

from moto.secretsmanager.models import SecretsManagerBackend

from . import around, patch


@patch("moto goes on giving readers the version that AWSCURRENT was taken from, and builds the next one on it")
def moved_current_version() -> None:
    @around(SecretsManagerBackend)
    def update_secret_version_stage(original: Any, backend: Any, *args: Any, **kwargs: Any) -> Any:
        told = original(backend, *args, **kwargs)
        for version, held in backend.secrets[told[0]].versions.items():
            if "AWSCURRENT" in held["version_stages"]:
                backend.secrets[told[0]].set_default_version_id(version)
        return told

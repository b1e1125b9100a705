"""EFS: backup policies and the removal of a file system's policy."""

import json
from typing import Any

from moto.efs.models import FileSystem
from moto.efs.responses import EFSResponse

from . import add, patch

_JSON = {"Content-Type": "application/json"}


@patch("moto has no PutBackupPolicy, and does not report that backups are off")
def backup_policy() -> None:
    unpatched = FileSystem.backup_policy.fget

    def policy(file_system: Any) -> Any:
        status = getattr(file_system, "backup_status", None)
        return {"Status": status} if status else unpatched(file_system)

    FileSystem.backup_policy = property(policy)

    @add(EFSResponse)
    def put_backup_policy(response: Any) -> Any:
        asked = response._get_param("BackupPolicy")
        response.efs_backend.file_systems_by_id[response._get_param("FileSystemId")].backup_status = asked["Status"]
        return json.dumps({"BackupPolicy": asked}), _JSON


@patch("moto has no DeleteFileSystemPolicy")
def file_system_policy() -> None:
    @add(EFSResponse)
    def delete_file_system_policy(response: Any) -> Any:
        response.efs_backend.file_systems_by_id[response._get_param("FileSystemId")].file_system_policy = None
        return "{}", _JSON

"""What a client needs to reach an emulated account."""

import os
from typing import Dict


def environment_of_client(endpoint: str, region: str) -> Dict[str, str]:
    """What a client needs to reach the emulator, and nothing else."""
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1"]))
    return {
        "AWS_ENDPOINT_URL": endpoint,  # an address, not a name: S3 then puts buckets into the path
        "AWS_ACCESS_KEY_ID": "emulator",
        "AWS_SECRET_ACCESS_KEY": "emulator",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
        "NO_PROXY": direct,
        "no_proxy": direct,
    }

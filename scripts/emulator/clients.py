"""The environment of clients of the emulator."""

import os
from typing import Dict


def environment_of_client(endpoint: str, region: str) -> Dict[str, str]:
    """The environment variables that make an AWS client use the emulator."""
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1"]))
    return {
        "AWS_ENDPOINT_URL": endpoint,  # an IP address, so that S3 clients use path-style requests
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

"""Emulators for the tests: the real command, a state folder of their own, gone when the test is."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

SCRIPTS = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, str(SCRIPTS / "aws-emulator")]
sys.path[:0] = [str(SCRIPTS), str(SCRIPTS / "emulator")]


def run(*arguments: str, **kwargs: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **kwargs)


def start(state: Path, *more: str) -> dict:
    started = run("start", "--state", str(state), "--parent", str(os.getpid()), "--format", "json", *more)
    if started.returncode != 0:
        raise AssertionError(f"start ended with {started.returncode}: {started.stderr}")
    return json.loads(started.stdout)


def client(endpoint: str, service: str, region: str = "us-west-2") -> Any:
    quick = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30, proxies={})
    keys = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator"}
    return boto3.session.Session(**keys).client(service, endpoint_url=endpoint, region_name=region, config=quick)

"""Emulated accounts without their start: one process loads moto once, and each account is a fork of it.

The tests start hundreds of accounts; most of a start is loading Python's modules. Each request is one connection to the socket
and one line of JSON; so is the answer:

- `{"start": {"state": FOLDER, "parent": PID, "region": NAME}}`: an account as `aws-emulator start` makes it, in a process of its
  own; answers `endpoint`, `pid`, `calls` and the `environment` of its clients.
- `{"ask": {"script": TEXT, "environment": {…}}}`: runs the script with `client` (botocore's `create_client`); answers its `answer`.

It ends by itself when nothing was asked for a while; the accounts live on until their parents are gone.
"""

import argparse
import gc
import io
import json
import logging
import os
import random
import shutil
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, Dict

import botocore.session
import server
from clients import environment_of_client
from moto.moto_api._internal import mock_random

IDLE = 300.0
ASKED = ("acm", "cloudtrail", "dynamodb", "ec2", "ecs", "iam", "logs", "rds", "route53", "s3", "secretsmanager", "sts")
SERVED = (*ASKED, "elasticache", "elbv2", "kms", "servicequotas")


class Forks:
    """What every fork has from the start."""

    def __init__(self) -> None:
        self.emulator = server.Emulator(raw=False)
        self.emulator.prepare(SERVED)
        os.environ.update(environment_of_client("http://127.0.0.1:1", "us-east-1"))  # each fork has its own
        warm = botocore.session.get_session()
        for service in ASKED:
            warm.create_client(service)
        self.models = warm.get_component("data_loader")

    def answer(self, connection: socket.socket) -> None:
        """The one request of this connection, in a fork."""
        with connection.makefile("rw", encoding="utf-8") as stream:
            request = json.loads(stream.readline())
            if "start" in request:
                self._start(stream, **request["start"])
            else:
                stream.write(json.dumps(self._ask(**request["ask"])) + "\n")

    def _start(self, stream: Any, state: str, parent: int, region: str) -> None:
        folder = Path(state)
        log = os.open(folder / "server.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(log, sys.stdout.fileno())
        os.dup2(log, sys.stderr.fileno())

        def ready(place: Dict[str, int]) -> None:
            endpoint = f"http://127.0.0.1:{place['port']}"
            answer = {"endpoint": endpoint, "pid": place["pid"], "calls": str(folder / "calls.jsonl")}
            answer["environment"] = environment_of_client(endpoint, region)
            stream.write(json.dumps(answer) + "\n")
            stream.close()

        server.serve(folder, parent, self.emulator, ready)

    def _ask(self, script: str, environment: Dict[str, str]) -> Dict[str, Any]:
        os.environ.update(environment)
        session = botocore.session.get_session()
        session.register_component("data_loader", self.models)
        names: Dict[str, Any] = {"json": json, "session": session, "client": session.create_client, "answer": None}
        sys.stdout = io.StringIO()
        try:
            exec(script, names)  # noqa: S102 - a test's own questions
        except BaseException:  # whatever it is, the test shows it
            return {"error": traceback.format_exc()}
        return {"answer": json.loads(json.dumps(names["answer"], default=str))}


def listen(folder: Path) -> socket.socket:
    half = folder / "half"
    half.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(half))
    listener.listen(64)
    listener.settimeout(IDLE)
    half.rename(folder / "socket")
    return listener


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, required=True, help="its own; it listens at `socket` there, and removes the folder at the end"
    )
    folder: Path = parser.parse_args().folder
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    forks = Forks()
    gc.collect()
    gc.freeze()  # the forks share these pages as long as no collection writes to them
    listener = listen(folder)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the forks
    while True:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            shutil.rmtree(folder, ignore_errors=True)
            return 0
        if os.fork() == 0:
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.setsid()
                listener.close()
                random.seed()
                mock_random.seed()
                forks.answer(connection)
            except BaseException:  # what a fork does wrong stays its own
                traceback.print_exc()
            finally:
                os._exit(0)
        connection.close()


if __name__ == "__main__":
    sys.exit(main())

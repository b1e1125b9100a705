"""Starts emulated accounts quickly: one process loads moto once and is forked for each account.

The tests start hundreds of accounts, and most of the start is loading Python modules. A request is one connection to the socket with
one line of JSON, and so is the reply:

- `{"start": {"state": FOLDER, "parent": PID, "region": NAME}}` starts an account as `aws-emulator start` does, in a separate process.
  The reply has `endpoint`, `pid`, `calls` and the `environment` of clients.
- `{"ask": {"script": TEXT, "environment": {…}}}` runs the script with `client` (botocore's `create_client`). The reply is the script's
  `answer`.

The process ends after some minutes without a request. The accounts run until their parents end.
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

IDLE_TIMEOUT = 300.0
ASKED = ("acm", "cloudtrail", "dynamodb", "ec2", "ecs", "iam", "logs", "rds", "route53", "s3", "secretsmanager", "sts")
SERVED = (*ASKED, "elasticache", "elbv2", "kms", "servicequotas")


class Forks:
    """The state that is loaded once and shared by every fork."""

    def __init__(self) -> None:
        self.emulator = server.Emulator(raw=False)
        self.emulator.prepare(SERVED)
        os.environ.update(environment_of_client("http://127.0.0.1:1", "us-east-1"))  # a fork replaces it
        warm = botocore.session.get_session()
        for service in ASKED:
            warm.create_client(service)
        self.models = warm.get_component("data_loader")

    def answer(self, connection: socket.socket) -> None:
        """Handles the request of a connection, in a fork."""
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
            exec(script, names)  # noqa: S102 - the script is part of a test
        except BaseException:  # the test reports any exception
            return {"error": traceback.format_exc()}
        return {"answer": json.loads(json.dumps(names["answer"], default=str))}


def listen(folder: Path) -> socket.socket:
    unfinished = folder / "unfinished"
    unfinished.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(unfinished))
    listener.listen(64)
    listener.settimeout(IDLE_TIMEOUT)
    unfinished.rename(folder / "socket")
    return listener


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="the folder for its socket; it is removed at the end")
    folder: Path = parser.parse_args().folder
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    forks = Forks()
    gc.collect()
    gc.freeze()  # so that garbage collection does not write to the shared pages
    listener = listen(folder)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that forks do not become zombies
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
            except BaseException:  # an error in a fork must not reach the loop of the parent
                traceback.print_exc()
            finally:
                os._exit(0)
        connection.close()


if __name__ == "__main__":
    sys.exit(main())

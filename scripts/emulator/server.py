"""The emulated AWS account: moto's server with patches, which reports unsupported operations by name.

`scripts/aws-emulator` starts it in its private Python environment. Differences from moto's server: it listens on a free port and
reports it; an operation that moto does not support, or that fails inside moto, is answered with 501 (which SDKs do not retry) and
its name instead of an HTML page; every call is logged; it ends when its parent process ends.
"""

import argparse
import fcntl
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Optional

import flask
import operations
import patches
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from processes import is_same_process, start_time
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

LOCKED_BY_ANOTHER = 75
ALIVE = "/moto-api/alive"  # not a valid bucket name; moto's own pages list the whole account, which is slow


class Quiet(WSGIRequestHandler):
    """Does not print a line per request, because calls.jsonl has them."""

    def log_request(self, *_: Any) -> None:
        pass


class CallLog:
    """One JSON line per call: service, operation, status, and whether moto does not support it. No parameters."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1, encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, service: str, operation: str, status: int, gap: bool) -> None:
        line = json.dumps({"service": service, "operation": operation, "status": status, "gap": gap})
        with self._lock:
            self._file.write(line + "\n")


class Emulator(DomainDispatcherApplication):
    """moto's dispatcher. Services are patched when they are first called."""

    def __init__(self, raw: bool) -> None:
        super().__init__(self._create_service)
        self.calls: Optional[CallLog] = None
        self._raw = raw

    def prepare(self, services: Iterable[str]) -> None:
        """Loads services before their first call."""
        for service in services:
            self.app_instances[service] = self._create_service(service)

    def _create_service(self, service: Any) -> flask.Flask:
        if not self._raw:
            patches.apply(service)
        app = create_backend_app(service)
        app.register_error_handler(Exception, lambda error: self._failed(service, error))
        app.after_request(lambda response: self._log(service, response))
        if service == "iam":  # moto iterates over roles and policies, which fails if another call changes them at the same time
            app.wsgi_app = one_at_a_time(app.wsgi_app)
        return app

    def _failed(self, service: str, error: Exception) -> Any:
        if isinstance(error, HTTPException) and flask.request.routing_exception is None:
            return error
        name = operations.name_of(service, flask.request)
        if isinstance(error, (NotImplementedError, HTTPException)):
            reason = f"the emulator lacks {service}:{name}"
        else:
            reason = f"the emulator broke in {service}:{name}: {type(error).__name__}: {error}"
            traceback.print_exception(type(error), error, error.__traceback__)
        print(f"GAP {service}:{name}: {reason}", file=sys.stderr, flush=True)
        body, content_type = operations.error_body(service, flask.request, reason)
        flask.g.gap = True
        headers = {"Content-Type": content_type, "X-Amzn-ErrorType": "NotImplemented"}
        return flask.Response(body, status=501, headers=headers)

    def _log(self, service: str, response: flask.Response) -> flask.Response:
        if service != "moto_api":
            name = operations.name_of(service, flask.request)
            self._write(service, name, response.status_code, flask.g.get("gap", False))
        return response

    def _write(self, service: str, operation: str, status: int, gap: bool) -> None:
        if self.calls is not None:
            self.calls.write(service, operation, status, gap)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ.get("PATH_INFO") == ALIVE:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"alive\n"]
        try:
            app = self.get_application(environ)
        except Exception as error:  # moto does not have the service, or a patch failed
            return self._unknown_service(environ, start_response, error)
        return app(environ, start_response)

    def _unknown_service(self, environ: Any, start_response: Any, error: Exception) -> Any:
        service = operations.signed_for(environ.get("HTTP_AUTHORIZATION", "")) or "unknown"
        reason = f"the emulator lacks the service {service}, or cannot start it: {type(error).__name__}: {error}"
        traceback.print_exception(type(error), error, error.__traceback__)
        print(f"GAP {service}: {reason}", file=sys.stderr, flush=True)
        self._write(service, "*", 501, True)
        body = json.dumps({"__type": "NotImplemented", "message": reason}).encode()
        start_response("501 Not Implemented", [("Content-Type", "application/json"), ("X-Amzn-ErrorType", "NotImplemented")])
        return [body]


def one_at_a_time(inner: Any) -> Any:
    """The application, limited to one call at a time."""
    lock = threading.Lock()

    def call(environ: Any, start_response: Any) -> Any:
        with lock:
            return inner(environ, start_response)

    return call


def end_with(parent: int, started: Optional[str]) -> None:
    """Ends this process when its parent ends, so that it does not outlive a killed test."""
    while is_same_process(parent, started):
        time.sleep(0.5)
    print(f"process {parent} ended: stopping", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--state", type=Path, required=True, help="the folder of this account")
    parser.add_argument("--parent", type=int, help="stop when this process ends")
    parser.add_argument("--raw", action="store_true", help="moto without the patches")
    return parser.parse_args()


def serve(state: Path, parent: Optional[int], emulator: Emulator, ready: Callable[[Dict[str, int]], None]) -> int:
    """Serves the account of this folder until it is stopped or its parent ends."""
    lock = (state / "server.lock").open("w")
    try:  # the lock shows whether an emulator is running, even if files of a killed one remain
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return LOCKED_BY_ANOTHER
    if parent is not None:
        threading.Thread(target=end_with, args=(parent, start_time(parent)), daemon=True).start()
    emulator.calls = CallLog(state / "calls.jsonl")
    listening = make_server("127.0.0.1", 0, emulator, threaded=True, request_handler=Quiet)
    os.environ["MOTO_PORT"] = str(listening.port)
    place = {"pid": os.getpid(), "port": listening.port}
    file = state / "emulator.json"
    unfinished = state / "emulator.json.unfinished"
    unfinished.write_text(json.dumps(place), encoding="utf-8")

    def end(*_: Any) -> None:
        file.unlink(missing_ok=True)
        os._exit(0)  # a regular exit would free moto's models, which takes seconds

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    unfinished.replace(file)
    ready(place)
    listening.serve_forever()
    return 0


def main() -> int:
    args = arguments()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    return serve(args.state, args.parent, Emulator(args.raw), lambda _: None)


if __name__ == "__main__":
    sys.exit(main())

"""Terraform is fetched once, used only with the right checksum, and without network it says what to do."""

import hashlib
import io
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

REHEARSAL = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REHEARSAL))

import terraform  # noqa: E402

SCRIPT = "#!/bin/sh\necho fetched\n"


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("LICENSE.txt", "a licence")
        files.writestr("terraform", SCRIPT)
    return packed.getvalue()


class Fetched(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.content = archive()
        self.asked: list[str] = []
        self.pause = 0.0
        test = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                test.asked.append(self.path)
                time.sleep(test.pause)
                self.send_response(200)
                self.send_header("Content-Length", str(len(test.content)))
                self.end_headers()
                self.wfile.write(test.content)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        kind = (sys.platform, "amd64" if platform.machine() in ("x86_64", "amd64") else "arm64")
        sums = {kind: hashlib.sha256(self.content).hexdigest()}
        for change in (
            mock.patch.dict(terraform.CHECKSUMS, sums, clear=True),
            mock.patch.dict(
                os.environ,
                {
                    "OSMT_CACHE": str(self.folder / "cache"),
                    "PATH": str(self.folder),
                    "OSMT_TERRAFORM_RELEASES": f"http://127.0.0.1:{self.server.server_port}/files",
                    "NO_PROXY": "127.0.0.1",
                },
            ),
        ):
            change.start()
            self.addCleanup(change.stop)
        os.environ.pop("OSMT_TERRAFORM", None)
        self.said: list[str] = []

    def provide(self) -> None:
        terraform.provide(self.said.append)

    def test_it_is_fetched_once_and_can_be_run(self) -> None:
        before = os.environ["PATH"]
        for _ in range(2):
            os.environ["PATH"] = before
            self.provide()
        self.assertEqual(len(self.asked), 1)
        self.assertRegex(self.asked[0], rf"^/files/{terraform.VERSION}/terraform_{terraform.VERSION}_(linux|darwin)_(amd64|arm64)\.zip$")
        done = subprocess.run(["terraform"], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "fetched\n")
        self.assertIn("downloading Terraform", self.said[0])

    def test_what_has_another_checksum_is_not_used(self) -> None:
        self.content = self.content[:-1] + b"x"
        with self.assertRaises(terraform.Unavailable) as caught:
            self.provide()
        self.assertIn("SHA-256", str(caught.exception))
        self.assertFalse(terraform.cached().exists())

    def test_without_network_the_reason_and_the_ways_out_are_said(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.assertFalse(terraform.fetched(self.said.append))
        said = "\n".join(self.said)
        for word in ("could not download", "refused", "HTTPS_PROXY", "OSMT_TERRAFORM_RELEASES"):
            self.assertIn(word, said)

    def test_an_unknown_machine_is_named(self) -> None:
        with mock.patch.object(platform, "machine", return_value="riscv64"), self.assertRaises(terraform.Unavailable) as caught:
            self.provide()
        self.assertIn("riscv64", str(caught.exception))
        self.assertEqual(self.asked, [])

    def test_a_slow_answer_is_not_waited_for_in_silence(self) -> None:
        self.pause = 0.5
        with mock.patch.object(terraform, "PROGRESS_INTERVAL", 0.1):
            self.provide()
        self.assertIn("  waiting for the server", self.said)

    def test_what_is_there_or_named_is_left_to_the_user(self) -> None:
        with mock.patch.dict(os.environ, {"OSMT_TERRAFORM": "/opt/other/terraform"}):
            self.provide()
        own = self.folder / "tofu"
        own.write_text(SCRIPT, encoding="utf-8")
        own.chmod(0o755)
        self.provide()
        self.assertEqual((self.asked, self.said), ([], []))


if __name__ == "__main__":
    unittest.main()

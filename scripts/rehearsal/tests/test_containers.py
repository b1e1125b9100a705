"""The start scripts of the containers, with substitutes for Java, the database, Redis, Elasticsearch and the provider."""

import http.server
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Optional

SCRIPTS = Path(__file__).resolve().parents[3] / "terraform" / "module" / "containers"
SECRET = "a-password-that-no-one-may-see"

LISTENS = """#!/bin/bash
echo "java $* profiles=${SPRING_PROFILES_ACTIVE:-}"
exec "$PYTHON" -c '
import os, socket
server = socket.create_server(("127.0.0.1", int(os.environ["OSMT_PORT"])))
while True:
    server.accept()[0].close()'
"""
SERVES = """#!/bin/bash
exec "$PYTHON" -c '
import http.server, os, pathlib
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(pathlib.Path(os.environ["HEALTH"]).read_text()) if self.path == "/health" else 200)
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["OSMT_PORT"])), Health).serve_forever()'
"""
ENDS = '#!/bin/bash\necho "java $* profiles=${SPRING_PROFILES_ACTIVE:-}"\nexit ${JAVA_STATUS:-0}\n'
NEVER_LISTENS = '#!/bin/bash\necho "java started"\nexec sleep 60\n'
FAILS_AND_HANGS = '#!/bin/bash\necho "ERROR o.s.boot.SpringApplication : Application run failed"\nexec sleep 60\n'
TAKES_THE_SIGNAL = """#!/bin/bash
trap 'echo "java stops in order"; exit 143' TERM
echo "java started"
while :; do sleep 0.1; done
"""


class Elasticsearch(http.server.BaseHTTPRequestHandler):
    def answer(self) -> None:
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization")))  # type: ignore[attr-defined]
        status, body = self.server.status if self.command == "GET" else 200, ""  # type: ignore[attr-defined]
        if status == 200 and self.path.endswith("/_mapping"):
            body = self.server.mappings.get(self.path.split("/")[1], "")  # type: ignore[attr-defined]
            status = 200 if body else 404
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


# The beginning of a field's mapping as OSMT 3.0.0 makes it, and as Elasticsearch guesses it from a document.
MADE = '{"fields":{"":{"type":"search_as_you_type"}}}'
GUESSED = '{"fields":{"keyword":{"type":"keyword","ignore_above":256}}}'
INDICES = {"richskill_v1": MADE + '{"type":"nested"}', "collection_v1": MADE, "jobcode_v1": MADE, "keyword": MADE}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Containers(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory(prefix="osmt-containers-")
        self.addCleanup(place.cleanup)
        self.root = Path(place.name)
        (self.root / "osmt" / "bin").mkdir(parents=True)
        (self.root / "osmt" / "bin" / "osmt.jar").touch()
        self.database = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.database.close)
        self.elasticsearch = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elasticsearch)
        self.elasticsearch.seen, self.elasticsearch.status = [], 200  # type: ignore[attr-defined]
        self.elasticsearch.mappings = dict(INDICES)  # type: ignore[attr-defined]
        threading.Thread(target=self.elasticsearch.serve_forever, daemon=True).start()
        self.addCleanup(self.elasticsearch.server_close)
        self.addCleanup(self.elasticsearch.shutdown)
        database = self.database.getsockname()[1]
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHON": sys.executable,
            "DB_URI": f"osmt_admin:{SECRET}@127.0.0.1:{database}",
            "REDIS_URI": f"127.0.0.1:{database}",
            "ELASTICSEARCH_URI": f"http://127.0.0.1:{self.elasticsearch.server_address[1]}",
            # Plain HTTP in place of TLS: curl is not asked to do more than it would there.
            "OAUTH_ISSUER": f"http://127.0.0.1:{self.elasticsearch.server_address[1]}/realm",
            # The limits that are minutes in the containers.
            "OSMT_WAIT_SECONDS": "0",
            "OSMT_END_SECONDS": "1",
            "OSMT_START_SECONDS": "10",
            "OSMT_PORT": str(free_port()),
            "OSMT_HEALTH_SECONDS": "0.2",
            "OSMT_MIGRATE_PROFILES": "review,import",
        }

    @contextmanager
    def start(self, name: str, java: str, *steps: str, **more: str) -> Iterator["subprocess.Popen[str]"]:
        program = self.root / "java"
        program.write_text(java, encoding="utf-8")
        program.chmod(0o755)
        text = "\n".join((SCRIPTS / part).read_text(encoding="utf-8") for part in ("wait.sh", f"{name}.sh"))
        text = text.replace("/bin/java", str(program)).replace("/opt/osmt", str(self.root / "osmt"))
        command = ["/bin/bash", "-euc", text, name, *steps]
        child = subprocess.Popen(
            command, env=self.environment | more, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        try:
            yield child
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.communicate()

    def run_container(self, name: str, java: str, *steps: str, **more: str) -> tuple[int, str]:
        with self.start(name, java, *steps, **more) as child:
            # Ended and collected first: what watches the start lives until then, and keeps the output open.
            status = child.wait(timeout=60)
            output = child.stdout.read() if child.stdout else ""
            self.assertNotIn(SECRET, output)
            return status, output

    def waits_in_vain(self, expected: str, name: str = "app", **more: str) -> None:
        began = time.monotonic()
        status, output = self.run_container(name, ENDS, "import", **more)
        self.assertEqual(status, 69, output)
        self.assertIn(expected, output)
        self.assertNotIn("java", output.replace("javascript", ""))
        self.assertLess(time.monotonic() - began, 20)

    def test_what_does_not_answer_is_named_and_ends_the_container(self) -> None:
        closed = free_port()
        self.waits_in_vain(f"database: 127.0.0.1:{closed} refuses the connection", DB_URI=f"osmt_admin:{SECRET}@127.0.0.1:{closed}")
        self.waits_in_vain(f"redis: 127.0.0.1:{closed} refuses", REDIS_URI=f"127.0.0.1:{closed}")
        for name in ("app", "maintenance"):
            self.waits_in_vain(f"elasticsearch: 127.0.0.1:{closed} refuses", name, ELASTICSEARCH_URI=f"http://127.0.0.1:{closed}")
        self.waits_in_vain("elasticsearch: the name nowhere.invalid cannot be resolved", ELASTICSEARCH_URI="http://nowhere.invalid:9200")
        self.waits_in_vain(f"issuer: 127.0.0.1:{closed} refuses", OAUTH_ISSUER=f"https://127.0.0.1:{closed}/realm")

    def test_each_cause_has_a_line(self) -> None:
        closed = free_port()
        gone = {"DB_URI": f"u:{SECRET}@127.0.0.1:{closed}", "REDIS_URI": f"127.0.0.1:{closed}"}
        _, output = self.run_container("app", ENDS, **gone)
        last = output.splitlines()[-2:]
        self.assertEqual([line.split(" ")[1] for line in last], ["database:", "redis:"], output)

    def test_an_elasticsearch_or_issuer_that_answers_wrongly_is_not_there(self) -> None:
        self.elasticsearch.status = 503  # type: ignore[attr-defined]
        self.waits_in_vain("elasticsearch: it returns 503 instead of 200", "maintenance")
        self.waits_in_vain("/realm/.well-known/openid-configuration returns 503 instead of 200")
        self.elasticsearch.status = 401  # type: ignore[attr-defined]
        self.waits_in_vain("it rejects the password", "maintenance", ES_PASSWORD=SECRET)

    def test_a_late_neighbour_is_waited_for(self) -> None:
        late = free_port()

        def appear() -> None:
            time.sleep(1)
            self.late = socket.create_server(("127.0.0.1", late))

        threading.Thread(target=appear).start()
        status, output = self.run_container("app", ENDS, REDIS_URI=f"127.0.0.1:{late}", OSMT_WAIT_SECONDS="30")
        self.late.close()
        self.assertEqual(status, 0, output)
        self.assertIn("waiting for redis:", output)

    def test_the_app_is_java_itself_and_its_status_the_containers(self) -> None:
        status, output = self.run_container("app", ENDS, JAVA_STATUS="7")
        self.assertEqual(status, 7, output)
        self.assertIn(f"java -jar {self.root}/osmt/bin/osmt.jar", output)

    def test_the_app_gets_the_stop_signal(self) -> None:
        with self.start("app", TAKES_THE_SIGNAL) as child:
            self.wait_for_line(child, "java started")
            child.terminate()
            self.assertEqual(child.wait(10), 143)
            self.assertIn("java stops in order", child.stdout.read() if child.stdout else "")

    def wait_for_line(self, child: "subprocess.Popen[str]", text: str) -> None:
        line: Optional[str] = None
        while line != "" and child.stdout:
            line = child.stdout.readline()
            self.assertNotIn(SECRET, line)
            if text in line:
                return
        self.fail(f"{text} did not come")

    def test_the_app_says_how_it_and_its_search_are(self) -> None:
        health = self.root / "health"
        health.write_text("200", encoding="utf-8")
        with self.start("app", SERVES, HEALTH=str(health), ES_PASSWORD=SECRET) as child:
            self.wait_for_line(child, "osmt: health: ok")
            self.wait_for_line(child, "osmt: search: ok")
            health.write_text("503", encoding="utf-8")
            for _ in range(3):  # each time, not only at the change: the alarm counts them
                self.wait_for_line(child, "osmt: health: not ok (503)")
            health.write_text("200", encoding="utf-8")
            self.wait_for_line(child, "osmt: health: ok")
            mappings = self.elasticsearch.mappings  # type: ignore[attr-defined]
            mappings["richskill_v1"] = MADE
            self.wait_for_line(child, "osmt: search: not ok: guessed mappings richskill_v1\n")
            mappings["keyword"] = GUESSED
            self.wait_for_line(child, "osmt: search: not ok: guessed mappings richskill_v1 keyword\n")
            del mappings["collection_v1"]
            self.wait_for_line(child, "osmt: search: not ok: missing collection_v1; guessed mappings richskill_v1 keyword\n")
            mappings |= INDICES
            self.wait_for_line(child, "osmt: search: ok")
            self.elasticsearch.status = 503  # type: ignore[attr-defined]
            self.wait_for_line(child, "osmt: search: not known: Elasticsearch returns 503 for /richskill_v1/_mapping")

    def test_an_app_whose_health_does_not_answer_is_not_ok(self) -> None:
        with self.start("app", LISTENS, OSMT_START_SECONDS="2") as child:
            self.wait_for_line(child, "osmt: health: not ok (no answer)")
            self.assertIsNone(child.poll())

    def test_maintenance_says_at_its_end_how_the_indices_are(self) -> None:
        self.assertIn("osmt: search: ok\nmaintenance: done\n", self.run_container("maintenance", ENDS, "migrate")[1])
        self.elasticsearch.mappings["jobcode_v1"] = GUESSED  # type: ignore[attr-defined]
        self.assertIn("osmt: search: not ok: guessed mappings jobcode_v1\n", self.run_container("maintenance", ENDS, "migrate")[1])

    def test_an_app_that_never_listens_is_ended(self) -> None:
        status, output = self.run_container("app", NEVER_LISTENS, OSMT_START_SECONDS="1")
        self.assertEqual(status, -signal.SIGTERM, output)
        self.assertIn("the app does not listen on port", output)

    def test_an_app_that_listens_is_left_alone(self) -> None:
        with self.start("app", LISTENS, OSMT_START_SECONDS="2") as child:
            time.sleep(3.5)
            self.assertIsNone(child.poll())

    def test_the_jar_of_osmt_4_is_found_and_none_is_said(self) -> None:
        jar = self.root / "osmt" / "bin" / "osmt.jar"
        jar.rename(jar.with_name("app.jar"))
        self.assertIn("app.jar", self.run_container("app", ENDS)[1])
        jar.with_name("app.jar").unlink()
        self.assertEqual(self.run_container("app", ENDS)[0], 78)

    def test_maintenance_runs_its_steps_in_order(self) -> None:
        lists = self.root / "osmt" / "import"
        lists.mkdir()
        (lists / "BLS-Import.csv").touch()
        status, output = self.run_container("maintenance", ENDS, "migrate", "import", "reindex")
        self.assertEqual(status, 0, output)
        profiles = [line.rpartition("=")[2] for line in output.splitlines() if line.startswith("java ")]
        self.assertEqual(profiles, ["review,import", "review,import", "reindex,review"], output)
        self.assertIn("skipped: the image has no", output)
        self.assertTrue(output.endswith("maintenance: done\n"), output)

    def test_reindex_deletes_the_four_indices_first(self) -> None:
        self.run_container("maintenance", ENDS, "reindex", ES_PASSWORD="secret", ES_USERNAME="elastic")
        deleted = [(path, header) for verb, path, header in self.elasticsearch.seen if verb == "DELETE"]  # type: ignore[attr-defined]
        self.assertEqual([path for path, _ in deleted], ["/richskill_v1", "/collection_v1", "/jobcode_v1", "/keyword"])
        self.assertEqual({header for _, header in deleted}, {"Basic ZWxhc3RpYzpzZWNyZXQ="})

    def test_reindex_is_refused_where_it_would_destroy_the_search(self) -> None:
        status, output = self.run_container("maintenance", ENDS, "reindex", OSMT_REBUILDS_SEARCH="false")
        self.assertEqual(status, 64, output)
        self.assertFalse([seen for seen in self.elasticsearch.seen if seen[0] == "DELETE"])  # type: ignore[attr-defined]

    def test_an_unknown_step_is_refused_before_anything_runs(self) -> None:
        status, output = self.run_container("maintenance", ENDS, "import", "improve")
        self.assertEqual(status, 64, output)
        self.assertNotIn("java ", output)

    def test_a_failed_step_ends_the_task_with_its_status(self) -> None:
        status, output = self.run_container("maintenance", ENDS, "reindex", "migrate", JAVA_STATUS="3")
        self.assertEqual(status, 3, output)
        self.assertIn("the step reindex failed (status 3)", output)

    def test_a_start_that_failed_and_hangs_is_ended(self) -> None:
        status, output = self.run_container("maintenance", FAILS_AND_HANGS, "migrate")
        self.assertEqual(status, 137, output)
        self.assertIn("the application did not start", output)

    def test_maintenance_hands_the_stop_signal_on(self) -> None:
        with self.start("maintenance", TAKES_THE_SIGNAL, "migrate") as child:
            self.wait_for_line(child, "java started")
            child.terminate()
            self.assertEqual(child.wait(10), 143)
            self.assertIn("java stops in order", child.stdout.read() if child.stdout else "")


if __name__ == "__main__":
    unittest.main()

"""The patterns of the stack's event rules, matched against events as Amazon ECS sends them.

terraform/module/tests/events.json holds both; each event names the page of AWS that shows or describes one like it.
`events.tftest.hcl` compares the patterns with the module's. Matched by moto, which follows "Comparison operators for use in
event patterns" in the Amazon EventBridge User Guide; AWS itself was not asked.
"""

import json
import unittest
from pathlib import Path

from moto.events.models import EventPattern

DOCUMENT = json.loads((Path(__file__).resolve().parents[3] / "terraform" / "module" / "tests" / "events.json").read_text(encoding="utf-8"))


def matching(event: dict) -> list[str]:
    return [name for name, pattern in DOCUMENT["patterns"].items() if EventPattern.load(json.dumps(pattern)).matches_event(event)]


class Patterns(unittest.TestCase):
    def test_each_event_is_matched_by_the_rules_that_it_names_and_no_other(self) -> None:
        for one in DOCUMENT["events"]:
            with self.subTest(one["what"], page=one["page"]):
                self.assertEqual(matching(one["event"]), one["matches"])

    def test_each_rule_has_an_event_that_it_matches_and_one_of_its_kind_that_it_does_not(self) -> None:
        for name, pattern in DOCUMENT["patterns"].items():
            kind = [one for one in DOCUMENT["events"] if one["event"]["detail-type"] in pattern["detail-type"]]
            with self.subTest(rule=name):
                self.assertEqual({name in one["matches"] for one in kind}, {True, False})

    def test_a_pattern_without_health_checks_would_be_found(self) -> None:
        pattern = json.loads(json.dumps(DOCUMENT["patterns"]["task_failed"]))
        pattern["detail"]["$or"].pop()
        loaded = EventPattern.load(json.dumps(pattern))
        missed = [one["what"] for one in DOCUMENT["events"] if one["matches"] == ["task_failed"] and not loaded.matches_event(one["event"])]
        self.assertEqual(missed, ["the load balancer's health check failed", "the container's health check failed"])


if __name__ == "__main__":
    unittest.main()

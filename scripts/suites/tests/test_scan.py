"""What fails the security scan of terraform/, on reports of checkov's shape."""

import sys
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

sys.dont_write_bytecode = True
SCRIPT = Path(__file__).resolve().parents[2] / "scan-terraform"
loader = SourceFileLoader("scan_terraform", str(SCRIPT))
scan = module_from_spec(spec_from_loader(loader.name, loader))
loader.exec_module(scan)


def check(result: dict) -> dict:
    place = {"file_path": "/module/waf.tf", "file_line_range": [21, 30]}
    return {"check_id": "CKV_AWS_192", "check_name": "Log4j", "resource": "aws_wafv2_web_acl.main", "check_result": result, **place}


def report(passed: int = 1, **results: list) -> dict:
    return {"summary": {"passed": passed}, "results": results}


class Faults(unittest.TestCase):
    def test_a_skip_with_a_reason_passes_and_one_without_fails(self) -> None:
        self.assertEqual(scan.faults(report(skipped_checks=[check({"suppress_comment": "a reason"})])), [])
        for comment in ({}, {"suppress_comment": ""}, {"suppress_comment": "No comment provided"}):
            self.assertIn("skipped without a reason", scan.faults(report(skipped_checks=[check(comment)]))[0])

    def test_a_failed_check_is_listed_with_its_place(self) -> None:
        self.assertEqual(
            scan.faults(report(failed_checks=[check({})])), ["CKV_AWS_192 aws_wafv2_web_acl.main (terraform/module/waf.tf:21): Log4j"]
        )

    def test_a_scan_that_reads_nothing_or_cannot_read_a_file_fails(self) -> None:
        self.assertIn("no check passed", scan.faults(report(passed=0))[0])
        self.assertIn("no check passed", scan.faults({"passed": 0, "failed": 0})[0])
        self.assertEqual(scan.faults(report(parsing_errors=["/module/app.tf"])), ["not read: /module/app.tf"])


if __name__ == "__main__":
    unittest.main()

"""A pytest plug-in: counts the call phase only, cleans up as well as it can, and writes one line a test as JSON."""
import json
import os
import re

import pytest

from groups import group_of

OUT = os.environ["S3TESTS_RESULTS"]
WANTED = os.environ.get("S3TESTS_GROUP", "")


def pytest_configure(config):
    import s3tests.functional as suite

    real = suite.nuke_prefixed_buckets

    def best_effort(*args, **kwargs):
        try:
            real(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - a bucket that stays behind must not fail the next test
            print("clean-up:", error)

    def teardown():
        for client in (suite.get_client(), suite.get_alt_client()):
            best_effort(prefix=suite.get_prefix(), client=client)

    suite.setup = lambda: None
    suite.teardown = teardown
    open(OUT, "w").close()


def describe(item):
    return group_of(item.name, [mark.name for mark in item.iter_markers()])


def pytest_collection_modifyitems(config, items):
    everything = os.environ.get("S3TESTS_ALL") == "1"
    kept = []
    for item in items:
        group, excluded = describe(item)
        if WANTED and not re.search(WANTED, group):
            continue
        if excluded and not everything and not WANTED:
            with open(OUT, "a") as out:
                out.write(json.dumps({"test": item.name, "group": group, "excluded": excluded}) + "\n")
            continue
        kept.append(item)
    items[:] = kept


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not (report.when == "call" or (report.when == "setup" and not report.passed)):
        return
    group, excluded = describe(item)
    why = ""
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        why = (crash.message if crash else str(report.longrepr)).split("\n")[0][:300]
    line = {
        "test": item.name,
        "group": group,
        "excluded": excluded,
        "outcome": report.outcome,
        "fails_on_aws": item.get_closest_marker("fails_on_aws") is not None,
        "fails_on_rgw": item.get_closest_marker("fails_on_rgw") is not None,
        "seconds": round(report.duration, 2),
        "why": why,
    }
    with open(OUT, "a") as out:
        out.write(json.dumps(line) + "\n")

"""Prints how many tests of a JUnit file passed, failed and were skipped: "12 1 0".

A file of ctest has one case a program, which runs many tests by cmocka: they are counted by what cmocka printed.
"""

import re
import sys
import xml.etree.ElementTree as tree

OK = re.compile(r"\[ +OK \] (\w+)")
FAILED = re.compile(r"\[ +FAILED +\] (\w+)\s*$", re.M)
SKIPPED = re.compile(r"\[ +SKIPPED +\] (\w+)\s*$", re.M)


def count_program(case):
    """A program of cmocka tests. One that failed without naming a test (it crashed) counts as a failure."""
    output = case.findtext("system-out") or ""
    failed = len(set(FAILED.findall(output)))
    if case.find("failure") is not None or case.get("status") == "fail":
        failed = max(failed, 1)
    return len(OK.findall(output)), failed, len(set(SKIPPED.findall(output)))


def count_case(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return 0, 1, 0
    if case.find("skipped") is not None:
        return 0, 0, 1
    return 1, 0, 0


def count(path):
    root = tree.parse(path).getroot()
    total = (0, 0, 0)
    for suite in root.iter("testsuite"):
        of_ctest = suite.get("name") != "pytest"
        for case in suite.iter("testcase"):
            one = count_program(case) if of_ctest else count_case(case)
            total = tuple(map(sum, zip(total, one)))
    return total


if __name__ == "__main__":
    try:
        print(*count(sys.argv[1]))
    except (OSError, tree.ParseError) as error:
        sys.exit(f"count_results: {error}")

#!/bin/sh
# Prints a Python that has what the tests import. The system's own comes first: the python3 in PATH may be one of
# pyenv or of an environment that does not see the distribution's packages.
set -eu
environment=$(dirname "$0")/../build-python/bin/python3
for python in "$environment" /usr/bin/python3 python3; do
    if "$python" -c 'import pytest, websockets, yaml' 2>/dev/null; then
        echo "$python"
        exit 0
    fi
done
echo "find-python: no python3 here imports pytest, websockets and yaml; tools/install-dependencies.sh test" >&2
exit 1

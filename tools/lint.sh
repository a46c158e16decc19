#!/bin/sh
# clang-tidy over every C file of ours, by the checks of .clang-tidy: lint.sh BUILD_FOLDER (one that is configured).
set -eu
cd "$(dirname "$0")/.."
. tools/c-files.sh
c_files | grep '\.c$' | xargs -n 4 -P "$(getconf _NPROCESSORS_ONLN)" "${CLANG_TIDY:-clang-tidy}" -p "$1" --quiet

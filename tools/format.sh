#!/bin/sh
# Rewrites every C file as clang-format has it.
set -eu
cd "$(dirname "$0")/.."
. tools/c-files.sh
clang_format=$(find_clang_format)
c_files | xargs "$clang_format" -i

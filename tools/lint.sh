#!/bin/sh
# clang-tidy over every C file of ours, by the checks of .clang-tidy: lint.sh BUILD_FOLDER (one that is configured).
set -eu
cd "$(dirname "$0")/.."
. tools/c-files.sh

# What the build asks of gcc alone, clang does not know.
commands=$(mktemp -d)
trap 'rm -rf "$commands"' EXIT
sed 's/ -mmem[a-z]*-strategy=[^ ]*//g; s/ -f[a-z-]*lto[^ ]*//g' "$1/compile_commands.json" >"$commands/compile_commands.json"

c_files | grep '\.c$' | xargs -n 4 -P "$(getconf _NPROCESSORS_ONLN)" "${CLANG_TIDY:-clang-tidy}" -p "$commands" --quiet

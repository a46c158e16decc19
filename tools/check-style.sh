#!/bin/sh
# What a machine can say of the style: every C file is as clang-format would write it, no include runs back up the
# floors, and the scripts are sound. Changes nothing.
set -u
cd "$(dirname "$0")/.." || exit 1
. tools/c-files.sh
status=0

clang_format=$(find_clang_format) || exit 1
# Only the names: what is wrong with a file, `make format` puts right.
unformatted=$(c_files | xargs "$clang_format" --dry-run 2>&1 | sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: warning:.*/\1/p' | uniq)
if [ -n "$unformatted" ]; then
    printf '%s\n' "not as clang-format has it (make format):" "$unformatted" >&2
    status=1
fi

# A floor may include itself and what stands to its right.
check_includes() {
    floor=$1
    shift
    allowed=$(echo "$floor $*" | tr ' ' '|')
    found=$(c_files | grep "^$floor/" |
        xargs grep -nE '^#include "(base|http|pool|proxy|inspector|config|demo)/' /dev/null |
        grep -vE "#include \"($allowed)/")
    if [ -n "$found" ]; then
        printf '%s\n' "$found" "^ $floor must not see these" >&2
        status=1
    fi
}
check_includes base
check_includes http base
check_includes pool base
check_includes proxy base http pool
check_includes inspector base http pool proxy
check_includes config base http pool proxy inspector
check_includes demo base http

if command -v shellcheck >/dev/null; then
    shellcheck -x tools/*.sh .ci/run || status=1
fi
exit $status

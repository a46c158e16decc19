# shellcheck shell=sh
# Sourced by the scripts that look at every C file.

# One path a line; also what is not committed yet.
c_files() {
    find base http pool proxy inspector config demo tests main.c -name '*.[ch]' 2>/dev/null | LC_ALL=C sort
}

# Versions of clang-format differ in what they write; 14, Debian 12's, is the one that decides.
find_clang_format() {
    for tool in "${CLANG_FORMAT:-clang-format-14}" clang-format; do
        if "$tool" --version 2>/dev/null | grep -q 'version 14\.'; then
            echo "$tool"
            return
        fi
    done
    echo "clang-format 14 is needed: tools/install-dependencies.sh format, or CLANG_FORMAT=..." >&2
    return 1
}

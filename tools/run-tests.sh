#!/bin/sh
# Runs the test suites one after the other, goes on after one that fails, and ends with one line that sums them up:
# "N passed, N failed". Fails where a test failed, or where none ran.
#
#   run-tests.sh [SUITE...]    style, bench-release, or KIND-PRESET: unit, integration or panel; release, asan or tsan
#
# From the environment: PYTHON (with pytest), PYTEST_ARGS, JOBS, WERROR=ON.
set -u
cd "$(dirname "$0")/.." || exit 1

results=build-results
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
suite_limit_s=900
passed=0
failed=0
summary=
built= # "preset=0" or "preset=1" for each that was tried

heading() {
    printf '\n== %s ==\n' "$*"
}

# Adds a suite's counts to the sum: name, passed, failed, remark.
count() {
    passed=$((passed + $2))
    failed=$((failed + $3))
    summary="$summary$(printf '%-20s %5s passed %5s failed  %s' "$1" "$2" "$3" "$4")
"
}

# Counts what a suite wrote: name, its exit status, its JUnit file.
count_results() {
    # The status tells of what no result can: a suite that found no test, was killed, or left a server behind.
    if numbers=$("$python" tools/count_results.py "$3"); then
        # shellcheck disable=SC2086 # three numbers: passed, failed, skipped
        set -- "$1" "$2" $numbers
        remark="$5 skipped"
        if [ "$2" -ne 0 ] && [ "$4" -eq 0 ]; then
            count "$1" "$3" 1 "$remark; ended with status $2"
        else
            count "$1" "$3" "$4" "$remark"
        fi
    else
        count "$1" 0 1 "no result; ended with status $2"
    fi
}

with_limit() {
    if command -v timeout >/dev/null; then
        timeout --kill-after=10 "$suite_limit_s" "$@"
    else
        "$@"
    fi
}

compiler_has() {
    echo 'int main(void) { return 0; }' |
        ${CC:-cc} "-fsanitize=$1" -x c - -o "$results/sanitizer-check" 2>/dev/null
}

# Builds a preset once; its result is remembered.
build() {
    case " $built " in
    *" $1=0 "*) return 0 ;;
    *" $1=1 "*) return 1 ;;
    esac
    heading "build, $1"
    if cmake --preset "$1" --log-level=WARNING "-DSIGHTGLASS_WERROR=${WERROR:-OFF}" -DBUILD_TESTING=ON >/dev/null &&
        cmake --build --preset "$1" --parallel "$jobs"; then
        built="$built $1=0"
        return 0
    fi
    built="$built $1=1"
    count "build, $1" 0 1 "does not build"
    return 1
}

run_unit() {
    rm -f "$results/$suite.xml"
    with_limit ctest --preset "$preset" --parallel "$jobs" --no-tests=error \
        --output-junit "$PWD/$results/$suite.xml" \
        --test-output-size-passed 1000000 --test-output-size-failed 1000000
    count_results "$suite" $? "$results/$suite.xml"
}

# Files of tests side by side, where pytest-xdist is there: most tests wait, for a process, a browser or an event.
side_by_side() {
    if "$python" -c 'import xdist' 2>/dev/null; then
        echo "-n $((jobs + 1)) --dist loadfile"
    fi
}

run_pytest() {
    rm -f "$results/$suite.xml"
    # shellcheck disable=SC2046,SC2086 # both are lists
    SIGHTGLASS_BINARY=$PWD/$folder/sightglass SIGHTGLASS_SANITIZED=$sanitized \
        with_limit "$python" -m pytest "tests/$kind" -q -ra --tb=short --durations=5 -p no:cacheprovider \
        -o faulthandler_timeout=120 "--junitxml=$results/$suite.xml" $(side_by_side) ${PYTEST_ARGS:-}
    count_results "$suite" $? "$results/$suite.xml"
}

run_bench() {
    cmake --build --preset "$preset" --target bench_programs --parallel "$jobs" >/dev/null &&
        with_limit "$python" tests/bench/check.py --build "$folder"
    case $? in
    0) count "$suite" 1 0 "" ;;
    77) count "$suite" 0 0 "left out: cannot be measured here" ;;
    *) count "$suite" 0 1 "" ;;
    esac
}

run_suite() {
    suite=$1
    if [ "$suite" = style ]; then
        heading style
        if tools/check-style.sh; then count style 1 0 ""; else count style 0 1 ""; fi
        return
    fi
    kind=${suite%-*}
    preset=${suite##*-}
    case $preset in
    release) folder=build sanitized=0 sanitizer= ;;
    asan) folder=build-asan sanitized=1 sanitizer=address,undefined ;;
    tsan) folder=build-tsan sanitized=1 sanitizer=thread ;;
    *) count "$suite" 0 1 "there is no such suite" && return ;;
    esac
    if [ -n "$sanitizer" ] && ! compiler_has "$sanitizer"; then
        count "$suite" 0 0 "left out: this compiler has no -fsanitize=$sanitizer"
        return
    fi
    if ! build "$preset"; then
        return
    fi
    heading "$kind, $preset"
    case $kind in
    unit) run_unit ;;
    integration | panel) run_pytest ;;
    bench) run_bench ;;
    *) count "$suite" 0 1 "there is no such suite" ;;
    esac
}

[ $# -gt 0 ] || set -- unit-release unit-asan integration-release integration-asan panel-release
python=${PYTHON:-$(tools/find-python.sh)} || exit 1
mkdir -p "$results"
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1}"
for suite in "$@"; do
    run_suite "$suite"
done

heading summary
printf '%s\n' "$summary"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

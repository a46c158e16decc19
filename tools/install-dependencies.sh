#!/bin/sh
# Installs what is missing to build, test, format or measure Sightglass: install-dependencies.sh GROUP...
# Groups: build, test, format, bench. Knows Debian and Ubuntu, Alpine, Fedora and Homebrew. What is there already is
# left alone, and where nothing is missing nothing is asked of the network.
set -eu

usage() {
    echo "usage: ${0##*/} {build|test|format|bench}..." >&2
    exit 2
}

say() {
    echo "install-dependencies: $*" >&2
}

# The packages of a group. One word for each; "a|b" means that either will do, the first that exists is taken; a "?"
# in front marks what can be done without where the system does not have it.
packages_of() {
    case $1 in
    debian-build)
        echo "gcc libc6-dev make cmake pkg-config libuv1-dev libc-ares-dev libssl-dev libyaml-dev libjansson-dev libxxhash-dev uthash-dev"
        echo "zlib1g-dev libbrotli-dev libzstd-dev"
        ;;
    debian-test)
        echo "libcmocka-dev ?libllhttp-dev|node-llhttp python3-pytest python3-websockets python3-selenium python3-yaml"
        echo "chromium|chromium-browser chromium-driver|chromium-chromedriver nginx|nginx-light haproxy curl openssl xxhash"
        echo "?iproute2 ?python3-pytest-xdist"
        ;;
    debian-format) echo "clang-format-14|clang-format" ;;
    debian-bench) echo "wrk openssl haproxy strace ?linux-perf nghttp2-client nginx|nginx-light python3" ;;

    alpine-build)
        echo "gcc musl-dev linux-headers make cmake pkgconf libuv-dev c-ares-dev openssl-dev yaml-dev jansson-dev xxhash-dev uthash-dev"
        echo "zlib-dev brotli-dev zstd-dev"
        ;;
    alpine-test)
        echo "cmocka-dev ?llhttp-dev py3-pytest py3-websockets py3-selenium py3-yaml"
        echo "chromium chromium-chromedriver nginx haproxy curl openssl xxhash ?iproute2 ?py3-pytest-xdist"
        ;;
    alpine-format) echo "clang-extra-tools" ;;
    alpine-bench) echo "wrk openssl haproxy strace ?perf nghttp2 nginx python3" ;;

    fedora-build)
        echo "gcc glibc-devel make cmake pkgconf-pkg-config"
        echo "libuv-devel c-ares-devel openssl-devel libyaml-devel jansson-devel xxhash-devel uthash-devel"
        echo "zlib-ng-compat-devel|zlib-devel brotli-devel libzstd-devel"
        ;;
    fedora-test)
        echo "libcmocka-devel ?llhttp-devel ?python3-pytest-xdist libasan libubsan python3-pytest python3-websockets python3-selenium"
        echo "python3-pyyaml chromium chromedriver nginx-core|nginx haproxy curl openssl xxhash ?iproute"
        ;;
    fedora-format) echo "clang-tools-extra" ;;
    fedora-bench) echo "wrk openssl haproxy strace ?perf nghttp2 nginx-core|nginx python3" ;;

    homebrew-build) echo "cmake pkgconf libuv c-ares openssl@3 libyaml jansson xxhash uthash brotli zstd" ;;
    homebrew-test) echo "cmocka ?llhttp nginx haproxy python3" ;;
    homebrew-format) echo "clang-format" ;;
    homebrew-bench) echo "wrk haproxy nghttp2 nginx python3" ;;
    esac
}

detect_system() {
    if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
        echo debian
    elif command -v apk >/dev/null; then
        echo alpine
    elif command -v dnf >/dev/null; then
        echo fedora
    elif command -v brew >/dev/null; then
        echo homebrew
    else
        echo unknown
    fi
}

# Prints the installed ones of the packages named, one on a line.
installed_of() {
    case $system in
    debian)
        # A package that dpkg never heard of is an error to it, and no reason to stop.
        # shellcheck disable=SC2016 # the dollars are dpkg-query's own
        dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' || true
        ;;
    alpine)
        apk info -e "$@" 2>/dev/null || true
        ;;
    fedora)
        rpm -q --qf '%{NAME}\n' "$@" 2>/dev/null | grep -v ' ' || true
        ;;
    homebrew)
        for package in "$@"; do
            [ ! -d "$brew_prefix/opt/$package" ] || echo "$package"
        done
        ;;
    esac
}

# Can this package be had? Answered from the lists that are on this machine.
available() {
    case $system in
    debian) apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]' ;;
    alpine) apk search --exact "$1" 2>/dev/null | grep -q . ;;
    fedora) dnf -q -C list --available "$1" >/dev/null 2>&1 ;;
    homebrew) brew info --formula "$1" >/dev/null 2>&1 ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null; then
        say "this has to run as root, and there is no sudo: $*"
        exit 1
    elif [ -n "${CI:-}" ]; then
        sudo -n "$@"
    else
        sudo "$@"
    fi
}

# Debian starts a service as soon as it is installed. The tests start their own nginx and haproxy; one of the system's
# would only hold port 80. So services are kept down while apt runs, and nginx is not started at boot either.
keep_services_down() {
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap 'as_root rm -f $policy' EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod +x $policy
    fi
}

leave_nginx_off() {
    case " $* " in
    *" nginx"*)
        if [ -d /run/systemd/system ]; then
            as_root systemctl disable --now nginx >/dev/null 2>&1 || say "nginx may start at boot; the tests do not need it"
        fi
        ;;
    esac
}

refresh_lists() {
    case $system in
    debian) as_root apt-get update -q || say "apt-get update failed; going on with the lists that are there" ;;
    alpine) as_root apk update -q || say "apk update failed; going on with the lists that are there" ;;
    fedora) as_root dnf -q makecache || say "dnf makecache failed; going on with the lists that are there" ;;
    esac
}

install_packages() {
    case $system in
    debian)
        keep_services_down
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
        leave_nginx_off "$@"
        ;;
    alpine) as_root apk add "$@" ;;
    fedora) as_root dnf install -y --setopt=install_weak_deps=False "$@" ;;
    homebrew) brew install "$@" ;;
    esac
}

# Prints the words none of whose packages is among "$installed".
missing_of() {
    for word in "$@"; do
        found=
        for package in $(echo "${word#\?}" | tr '|' ' '); do
            case "$newline$installed$newline" in
            *"$newline$package$newline"*) found=yes ;;
            esac
        done
        [ -n "$found" ] || echo "$word"
    done
}

# Is any of these words worth an installation? What can be done without is not, where it cannot be had anyway.
worth_installing() {
    for word in "$@"; do
        case $word in
        \?*)
            for package in $(echo "${word#\?}" | tr '|' ' '); do
                ! available "$package" || return 0
            done
            ;;
        *) return 0 ;;
        esac
    done
    return 1
}

# Prints the package to install for each word.
choose() {
    for word in "$@"; do
        chosen=
        for package in $(echo "${word#\?}" | tr '|' ' '); do
            if available "$package"; then
                chosen=$package
                break
            fi
        done
        if [ -n "$chosen" ]; then
            echo "$chosen"
        elif [ "${word#\?}" = "$word" ]; then
            echo "${word%%|*}" # the package manager's own words will say that it is not there
        else
            say "not to be had here, going on without: ${word#\?}"
        fi
    done
}

# Homebrew has no packages of Python modules: they go into an environment of our own, which find-python.sh knows.
install_python_modules() {
    environment=$(dirname "$0")/../build-python
    if [ ! -x "$environment/bin/pytest" ]; then
        python3 -m venv "$environment"
        "$environment/bin/pip" install --quiet pytest websockets selenium pyyaml
    fi
    command -v chromedriver >/dev/null ||
        say "for the panel's tests install Chrome and its driver: brew install --cask google-chrome chromedriver"
}

[ $# -gt 0 ] || usage
newline='
'
system=$(detect_system)
words=
for group in "$@"; do
    case $group in
    build | test | format | bench) words="$words $(packages_of "$system-$group")" ;;
    *) usage ;;
    esac
done

if [ "$system" = unknown ]; then
    say "no package manager that this script knows (apt, apk, dnf, brew). If the build misses something, it wants:"
    say "a C11 compiler, make, cmake 3.25, pkg-config, libuv 1.44, c-ares 1.18, OpenSSL 3, libyaml, jansson 2.13, xxHash 0.8,"
    say "uthash, zlib, brotli and zstd, with headers"
    exit 0
fi
if [ "$system" = homebrew ]; then
    brew_prefix=$(brew --prefix)
fi

# Words hold neither blanks nor patterns: from here on they are lists on purpose.
# shellcheck disable=SC2086,SC2046
{
    installed=$(installed_of $(echo "$words" | tr -d '?' | tr '|' ' '))
    missing=$(missing_of $words)
    if worth_installing $missing; then
        say "missing:" $(echo "$missing" | tr -d '?')
        refresh_lists
        packages=$(choose $missing)
        say "installing:" $packages
        install_packages $packages
    fi
}
case "$system $*" in
"homebrew "*test*) install_python_modules ;;
esac

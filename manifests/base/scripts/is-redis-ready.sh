#!/bin/sh
# Readiness of a Redis server: it answers PONG (not NOAUTH, LOADING or MISCONF), and a replica has
# its link up and is not in a full sync. Sentinel is not asked: a loss of all Sentinels must not
# take a working Redis out of service. A primary that the Sentinels have replaced is taken out by
# redis-role-labeler.
reply=$(printf 'PING\nINFO replication\n' | timeout 3 redis-cli -p "${PROBE_PORT:-6379}" 2>&1 | tr -d '\r')

fail() {
    echo "not ready: $1"
    exit 1
}

case $reply in
    PONG*) ;;
    '') fail "no answer within 3 s" ;;
    *) fail "$(printf '%s\n' "$reply" | sed 1q)" ;;
esac
case $reply in
    *role:master*) exit 0 ;;
    *master_link_status:up*) ;;
    *) fail "replica without a link to its primary" ;;
esac
case $reply in
    *master_sync_in_progress:0*) exit 0 ;;
    *) fail "full sync in progress" ;;
esac

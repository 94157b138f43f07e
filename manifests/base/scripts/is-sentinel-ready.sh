#!/bin/sh
# Readiness of a Sentinel: it answers, knows all the other Sentinels and a replica to promote, and
# has reached the primary since it started or knows that it is down. One that knows less could not
# carry a promotion through (and would not try again for 60 s), so a rollout must wait for it. Lost
# peers do not count against it: whoever can still name the primary must stay findable.
reply=$(printf 'PING\nSENTINEL MASTER %s\n' "$MASTER_NAME" |
    timeout 3 redis-cli -p "${PROBE_PORT:-26379}" 2>&1 | tr -d '\r')

fail() {
    echo "not ready: $1"
    exit 1
}

field() {
    printf '%s\n' "$reply" | sed -n "/^$1\$/{n;p;q;}"
}

case $reply in
    PONG*) ;;
    '') fail "no answer within 3 s" ;;
    *) fail "$(printf '%s\n' "$reply" | sed 1q)" ;;
esac
# shellcheck disable=SC2086  # a list, split on purpose
set -- $SENTINEL_PEERS
others=$(field num-other-sentinels)
[ "${others:-0}" -ge $(($# - 1)) ] || fail "knows ${others:-0} other Sentinels of $(($# - 1))"
# shellcheck disable=SC2086
set -- $REDIS_PEERS
[ $# -eq 1 ] || [ "$(field num-slaves)" != 0 ] || fail "knows no replica yet"
[ -n "$(field runid)" ] || case $(field flags) in
    *s_down*) ;;
    *) fail "has not reached the primary yet" ;;
esac

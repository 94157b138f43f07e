#!/bin/sh
# Readiness of a Sentinel: it answers, knows all the other Sentinels and a replica to promote, and
# has reached the primary since it started or knows that it is down. One that knows less could not
# carry a promotion through (and would not try again for 60 s), so a rollout must wait for it; nor
# is one ready whose down-after is still the long one of its start, because the other Sentinels do not
# reach it yet. Lost peers do not count against it: whoever can still name the primary must stay
# findable.
look() {
    state=$(redis-cli -p "${PROBE_PORT:-26379}" SENTINEL MASTER "$MASTER_NAME" 2>&1)
}

fail() {
    echo "not ready: $1"
    exit 1
}

field() {
    printf '%s\n' "$state" | sed -n "/^$1\$/{n;p;q;}"
}

# shellcheck disable=SC2086  # a list, split on purpose
count() {
    set -- $1
    echo $#
}

look
others=$(field num-other-sentinels)
known=$(($(count "$SENTINEL_PEERS") - 1))
[ -n "$others" ] || fail "$(printf '%s\n' "${state:-no answer}" | sed 1q)"
[ "$others" -ge "$known" ] || fail "knows $others other Sentinels of $known"
[ "$(count "$REDIS_PEERS")" -eq 1 ] || [ "$(field num-slaves)" != 0 ] || fail "knows no replica yet"
wanted=$(sed -n "s/^sentinel down-after-milliseconds $MASTER_NAME //p" "${CONFIG_DIR:-/config}/sentinel.conf")
[ "$(field down-after-milliseconds)" = "$wanted" ] || fail "has not settled yet"
# Right after a promotion the new primary is unknown for an instant: look twice.
[ -n "$(field runid)" ] || { sleep 1; look; }
[ -n "$(field runid)" ] || case $(field flags) in
    *s_down*) ;;
    *) fail "has not reached the primary yet" ;;
esac

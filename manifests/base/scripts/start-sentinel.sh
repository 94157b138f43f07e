#!/bin/sh
# Start Sentinel with people's settings and its own memory.
#
# sentinel.conf on the claim is rebuilt at every start: settings from the ConfigMap (so an edit
# takes effect), state (id, epochs, known peers, the primary) from the file Sentinel itself wrote.
# Environment beyond ask.sh: DATA_DIR (the claim), CONFIG_DIR (sentinel.conf as a template).
set -eu
# shellcheck source=manifests/base/scripts/ask.sh
. "${0%/*}/ask.sh"

DATA_DIR=${DATA_DIR:-/data}
CONFIG_DIR=${CONFIG_DIR:-/config}
PEERS_PATIENCE=${PEERS_PATIENCE:-2}
SETTLE_PATIENCE=${SETTLE_PATIENCE:-15}
FIRST_PATIENCE=${FIRST_PATIENCE:-120}  # for seat 0 to come up at the first start of all: images are pulled

conf=$DATA_DIR/sentinel.conf
trap 'log "stopped before Sentinel was started"; exit 143' TERM INT

main() {
    patience=$SETTLE_PATIENCE
    primary=$(remembered_primary)
    if [ -n "$primary" ]; then
        log "watching $primary, as remembered"
    else
        find_primary
    fi
    write_conf "$primary"
    settle &
    exec redis-server "$conf" --sentinel
}

# A Sentinel that starts together with everybody else finds nobody for some seconds (names are not
# there yet, or still lead to old addresses). It must not take that for a dead primary: a needless
# promotion beside a primary that serves loses writes, and a promotion without a replica in reach
# blocks the next for 60 s. So it starts with a long down-after and gets the configured one when it
# has reached the primary and the other Sentinels have reached it, or when its patience is over.
# Readiness waits for that.
settle() {
    trap - TERM INT
    myself=127.0.0.1:${SELF##*:}
    began=$(milliseconds)
    anew=$began
    deadline=$(($(now) + patience))
    # A connection attempt to a vanished address is given up after 2 s instead of 15 s.
    until ask "$myself" SENTINEL DEBUG min-link-reconnect-period 2000 | grep -q OK; do
        [ "$(now)" -lt "$deadline" ] || break
        sleep 0.1
    done
    while [ "$(now)" -lt "$deadline" ]; do
        read -r _ _ _ _ runid _ <<ANSWER
$(ask_sentinel "$myself")
ANSWER
        if [ "${runid:-none}" = none ]; then
            connect_anew
        elif is_heard; then
            break
        fi
        sleep 0.5
    done
    ask "$myself" SENTINEL SET "$MASTER_NAME" down-after-milliseconds "$(down_after)" >/dev/null
    log "settled: primary ${runid:-none}, down-after $(down_after) ms"
}

# Every 2 s Sentinel is to begin anew with the primary's name. An attempt to connect to the address of
# its last pod hangs, and Sentinel drops it only after half of down-after, now 30 s. The password set
# is the one it has: what counts is that setting it drops the connections (sentinel.c,
# sentinelSetCommand).
connect_anew() {
    [ $(($(milliseconds) - anew)) -ge 2000 ] || return 0
    anew=$(milliseconds)
    password=$(sed -n "s/^sentinel auth-pass $MASTER_NAME //p" "$CONFIG_DIR/sentinel.conf")
    ask "$myself" SENTINEL SET "$MASTER_NAME" auth-pass "$password" >/dev/null
}

# Every other Sentinel that answers has had an answer of this process. They find it by its name, which
# leads to the address of its last pod for some seconds: until then it counts for nothing with them,
# and a drain that takes the next one takes the majority.
is_heard() {
    all=$(
        for peer in $SENTINEL_PEERS; do
            [ "$peer" = "$SELF" ] || heard_by "$peer" &
        done
        wait
    )
    age=$(($(milliseconds) - began))
    for ago in $all; do
        [ "$ago" -lt "$age" ] || return 1
    done
}

# How many milliseconds ago a Sentinel was last answered by this one; nothing if it does not answer
# itself, and very many if it does not know this one.
heard_by() {
    printf 'PING\nSENTINEL SENTINELS %s\n' "$MASTER_NAME" | ask "$1" | {
        read -r pong && [ "$pong" = PONG ] || return 0
        host='' ago=999999999
        while read -r key && read -r value; do
            case $key in
                ip) host=$value ;;
                port) host=$host:$value ;;
                last-ok-ping-reply) [ "$host" != "$SELF" ] || ago=$value ;;
            esac
        done
        echo "$ago"
    }
}

down_after() {
    sed -n "s/^sentinel down-after-milliseconds $MASTER_NAME //p" "$CONFIG_DIR/sentinel.conf"
}

remembered_primary() {
    [ -s "$conf" ] || return 0
    sed -n "s/^sentinel monitor $MASTER_NAME \"\{0,1\}\([^ \"]*\)\"\{0,1\} \([0-9]*\) .*/\1:\2/p" "$conf"
}

# Without a memory: what the other Sentinels say, else whoever serves as primary, else seat 0.
find_primary() {
    deadline=$(($(now) + PEERS_PATIENCE))
    while :; do
        answers=$(ask_sentinels)
        primary=$(newest_of "$answers")
        [ -z "$primary" ] || { log "watching $primary, as the other Sentinels do"; return; }
        seats=$(ask_other_seats)
        primary=$(printf '%s\n' "$seats" | while read -r seat role _; do
            [ "$role" != primary ] || { echo "$seat"; break; }
        done)
        [ -z "$primary" ] || { log "watching $primary, which serves as primary"; return; }
        [ "$(now)" -lt "$deadline" ] || break
        sleep 0.5
    done
    primary=${REDIS_PEERS%% *}
    patience=$FIRST_PATIENCE
    log "watching $primary: nobody answers, so this is the first start of all"
}

write_conf() {
    {
        sed "s/@PRIMARY_HOST@/${1%:*}/; s/@PRIMARY_PORT@/${1##*:}/" "$CONFIG_DIR/sentinel.conf"
        echo "port ${SELF##*:}"
        echo "dir $DATA_DIR"
        echo "sentinel announce-ip ${SELF%:*}"
        echo "sentinel announce-port ${SELF##*:}"
        echo "sentinel down-after-milliseconds $MASTER_NAME 60000"  # until settled
        state
    } >"$conf.new"
    mv "$conf.new" "$conf"
}

# The id is derived from the seat: with a lost claim the same Sentinel returns, instead of a fourth
# one whose ghost raises the majority that an election needs.
state() {
    if [ -s "$conf" ] && grep -q '^sentinel myid ' "$conf"; then
        grep -E '^sentinel (myid|current-epoch|config-epoch|leader-epoch|known-replica|known-sentinel) ' "$conf"
    else
        echo "sentinel myid $(printf '%s' "$SELF" | sha1sum | cut -c 1-40)"
    fi
}

main

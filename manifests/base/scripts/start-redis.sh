#!/bin/sh
# Start redis-server in the role that the Sentinels give this seat.
# The cases and why: docs/decisions/0011. Every wait is bounded, every decision is one log line.
#
# Environment beyond ask.sh: POD_IP, DATA_DIR (the claim), RUN_DIR (lives as long as the pod),
# CONFIG_DIR (redis.conf and sentinel.conf as edited by people).
set -eu
# shellcheck source=manifests/base/scripts/ask.sh
. "${0%/*}/ask.sh"

DATA_DIR=${DATA_DIR:-/data}
RUN_DIR=${RUN_DIR:-/run/redis}
CONFIG_DIR=${CONFIG_DIR:-/config}
SENTINEL_PATIENCE=${SENTINEL_PATIENCE:-10}  # for a majority of Sentinels to agree
EMPTY_PATIENCE=${EMPTY_PATIENCE:-90}        # with lost data: outlives one refused retry (60 s)
FENCE_PATIENCE=${FENCE_PATIENCE:-15}        # for a majority of Sentinels to reach a new primary
FOLLOW_PATIENCE=${FOLLOW_PATIENCE:-60}      # for a replica's first link; then it is the Sentinels' affair

conf=$DATA_DIR/redis.conf
marker=$RUN_DIR/started-at                  # the pod address under which Redis last started
answers='' named='' seats=''

# As process 1, sh would ignore SIGTERM and a deletion would take the whole grace period.
trap 'log "stopped before Redis was started"; exit 143' TERM INT

main() {
    persisted=$(persisted_role)
    await_sentinels
    case $named in
        "$SELF") when_named ;;
        '') when_no_sentinel_answers ;;
        *) start_as_replica_of "$named" "the Sentinels name it" ;;
    esac
}

await_sentinels() {
    deadline=$(($(now) + SENTINEL_PATIENCE))
    while look_around; [ -z "$named" ]; do
        if [ "$(now)" -ge "$deadline" ]; then
            named=$(newest_of "$answers")
            log "no majority of Sentinels after $SENTINEL_PATIENCE s, going by ${named:-none}"
            return
        fi
        sleep 0.5
    done
}

look_around() {
    answers=$(ask_sentinels)
    named=$(majority_of "$answers")
}

# The Sentinels name this seat. Starting as primary is right when Sentinel will not promote
# another behind our back, and wrong when it will, or when it would wipe the others' data.
when_named() {
    started=$(now)
    takeover=$((down_after_seconds + 10))
    said=''
    while :; do
        [ -z "$named" ] || [ "$named" = "$SELF" ] || start_as_replica_of "$named" "the Sentinels moved to it"
        seats=$(ask_other_seats)
        waited=$(($(now) - started))
        if ! has_data; then
            ! is_virgin || start_as_primary "first start: the Sentinels never saw a primary"
            ! others_are_empty || start_as_primary "no data here, none at the other seats"
            [ "$waited" -lt "$EMPTY_PATIENCE" ] || refuse "my data is gone and another seat may hold it"
            say "my data is gone: waiting up to $EMPTY_PATIENCE s for the Sentinels to name another"
        elif promotion_is_due; then
            if [ "$waited" -ge "$takeover" ]; then
                ! somebody_serves_as_me || refuse "a seat still follows another instance under my name"
                start_as_primary "named by the Sentinels, which moved to nobody else in $takeover s"
            fi
            say "waiting up to $takeover s for the Sentinels to name another"
        else
            start_as_primary "named by the Sentinels"
        fi
        sleep 0.5
        look_around
    done
}

# A promotion is under way, or must follow: this seat's address vanished (new pod), or it was away
# beyond down-after, and a replica that followed in its present life is there to be promoted.
# A restart in place within down-after is back before anybody notices.
promotion_is_due() {
    ! is_promoting || return 0
    is_new_address || case $answers in *o_down*) ;; *) return 1 ;; esac
    case $seats in *" primary "* | *" up "* | *" lost "*) return 0 ;; *) return 1 ;; esac
}

is_new_address() {
    [ "$(cat "$marker" 2>/dev/null)" != "$POD_IP" ]
}

# No Sentinel that answers has ever seen a primary or a replica.
is_virgin() {
    printf '%s\n' "$answers" | while read -r _ _ _ replicas runid _; do
        [ "$replicas" = 0 ] && [ "$runid" = none ] || { echo known; break; }
    done | grep -q known && return 1
    return 0
}

# Every other seat answers and holds no key.
others_are_empty() {
    expected=0
    for peer in $REDIS_PEERS; do [ "$peer" = "$SELF" ] || expected=$((expected + 1)); done
    [ "$(printf '%s\n' "$seats" | grep -c ' no$')" -eq "$expected" ]
}

somebody_serves_as_me() {
    printf '%s\n' "$seats" | grep -qF " $SELF up "
}

# No Sentinel answers: go by what a live primary, then this seat's last role, then the ordinal say.
when_no_sentinel_answers() {
    seats=$(ask_other_seats)
    primary=$(printf '%s\n' "$seats" | while read -r seat role _; do [ "$role" != primary ] || echo "$seat"; done)
    followed=$(printf '%s\n' "$seats" | while read -r _ _ follows link _; do [ "$link" != up ] || echo "$follows"; done)
    # shellcheck disable=SC2086  # the first of several
    set -- ${primary:-$followed}
    first=${REDIS_PEERS%% *}
    if [ $# -gt 0 ] && [ "$1" != "$SELF" ]; then
        start_as_replica_of "$1" "no Sentinel answers, and it serves as primary"
    elif [ "$persisted" = primary ]; then
        start_as_primary "no Sentinel answers, and I was primary"
    elif [ "$persisted" != unknown ]; then
        start_as_replica_of "$persisted" "no Sentinel answers, and I followed it last"
    elif [ "$SELF" = "$first" ]; then
        start_as_primary "no Sentinel answers, and this is the first seat's first start"
    else
        start_as_replica_of "$first" "no Sentinel answers, and this is my first start"
    fi
}

persisted_role() {
    if [ ! -s "$conf" ]; then
        echo unknown
    elif grep -q '^replicaof ' "$conf"; then
        sed -n 's/^replicaof "\{0,1\}\([^ "]*\)"\{0,1\} \([0-9]*\)$/\1:\2/p' "$conf"
    else
        echo primary
    fi
}

has_data() {
    for file in "$DATA_DIR"/dump.rdb "$DATA_DIR"/appendonlydir/*; do
        [ ! -s "$file" ] || return 0
    done
    return 1
}

start_as_primary() {
    # Whatever led here: an empty primary makes every replica throw its data away.
    if ! has_data; then
        case $seats in *" yes"* | *" maybe"*) refuse "my data is gone and another seat holds keys" ;; esac
    fi
    log "starting as primary: $1"
    write_conf "min-replicas-to-write 9999"
    lift_fence_when_reached &
    launch
}

# A primary back under a new address is not reached by Sentinels that still try the old one: they
# may promote another while it serves, and convert it only 10 s later, with all that it
# acknowledged lost. So it refuses writes until a majority of the Sentinels has reached it.
lift_fence_when_reached() {
    trap - TERM INT
    myself=127.0.0.1:${SELF##*:}
    born=$(milliseconds)
    until [ "$(ask "$myself" PING)" = PONG ]; do
        sleep 0.1
        [ $(($(milliseconds) - born)) -lt 600000 ] || return 0  # it does not even load
    done
    born=$(milliseconds)
    while :; do
        case $(ask_redis "$myself") in *" primary "*) ;; *) reason="replaced before it served"; break ;; esac
        answers=$(ask_sentinels)
        named=$(majority_of "$answers")
        age=$(($(milliseconds) - born))
        if [ "${named:-$SELF}" != "$SELF" ] || is_promoting; then
            :  # replaced, or about to be; a Sentinel will make it a replica
        elif [ "$(reached_by)" -ge "$(majority)" ]; then
            reason="reached by the Sentinels"
            break
        elif [ "$age" -ge $((FENCE_PATIENCE * 1000)) ]; then
            reason="no majority of Sentinels reached it, serving all the same"
            break
        fi
        sleep 0.2
    done
    ask "$myself" CONFIG SET min-replicas-to-write "$(setting min-replicas-to-write)" >/dev/null
    log "open for writes after $(($(milliseconds) - born)) ms: $reason"
}

# A Sentinel that reaches this server only after it was elected promotes another all the same.
is_promoting() {
    case $answers in *failover_in_progress*) return 0 ;; *) return 1 ;; esac
}

# The number of Sentinels that name this seat and had an answer of this very process.
reached_by() {
    printf '%s\n' "$answers" | {
        count=0
        while read -r named _ flags _ _ heard; do
            case $named:$flags in "$SELF":*down*) ;; "$SELF":*) [ "$heard" -ge "$age" ] || count=$((count + 1)) ;; esac
        done
        echo "$count"
    }
}

setting() {
    sed -n "s/^$1 //p" "$CONFIG_DIR/redis.conf"
}

start_as_replica_of() {
    log "starting as replica of $1: $2"
    write_conf "replicaof ${1%:*} ${1##*:}"
    follow_until_linked &
    launch
}

# Whom it follows may be replaced while it starts. The order to follow the successor then came too
# early for it, and the Sentinels look whom it follows only once they have seen it up for a while:
# 30 s later, or never if they do not know it. So it asks them itself until its first link is up.
follow_until_linked() {
    trap - TERM INT
    myself=127.0.0.1:${SELF##*:}
    born=$(milliseconds)
    while sleep 1; [ $(($(milliseconds) - born)) -lt $((FOLLOW_PATIENCE * 1000)) ]; do
        named=$(majority_of "$(ask_sentinels)")
        # shellcheck disable=SC2046  # the five words of one answer
        set -- $(ask_redis "$myself")
        case "${2:-}:${4:-}" in
            replica:never) ;;
            : | unknown:*) continue ;;
            *) return 0 ;;
        esac
        case $named in '' | "$SELF" | "$3") continue ;; esac
        ask "$myself" REPLICAOF "${named%:*}" "${named##*:}" >/dev/null
        log "following $named: the Sentinels moved to it before I had reached $3"
    done
}

# People's settings win over what CONFIG REWRITE left; only the role is carried over.
write_conf() {
    {
        cat "$CONFIG_DIR/redis.conf"
        echo "port ${SELF##*:}"
        echo "dir $DATA_DIR"
        echo "replica-announce-ip ${SELF%:*}"
        echo "replica-announce-port ${SELF##*:}"
        echo "${1:-}"
    } >"$conf.new"
    mv "$conf.new" "$conf"
}

launch() {
    printf '%s\n' "$POD_IP" >"$marker"
    exec redis-server "$conf"
}

refuse() {
    log "NOT starting: $1; the kubelet will start me again"
    exit 1
}

say() {
    [ "$said" = "$1" ] || log "$1"
    said=$1
}

down_after_seconds=$(($(sed -n "s/^sentinel down-after-milliseconds $MASTER_NAME //p" "$CONFIG_DIR/sentinel.conf") / 1000))
main

# shellcheck shell=sh
# Questions to Sentinels and Redis servers; sourced by the other scripts.
#
# Environment: MASTER_NAME, SELF (HOST:PORT), SENTINEL_PEERS and REDIS_PEERS (HOST:PORT ...).
# Every question is bounded to 2 s and asked of all peers at once: a peer on a dead node must not
# hold up the rest. REDISCLI_AUTH, if set, is redis-cli's own affair.

ASK_SECONDS=${ASK_SECONDS:-2}

log() {
    printf '%s %s: %s\n' "$(date -u +%H:%M:%S)" "${0##*/}" "$1"
}

now() {
    date +%s
}

# Milliseconds of the machine's own clock, in steps of ten: busybox's date knows only seconds.
milliseconds() {
    read -r uptime _ </proc/uptime
    echo "${uptime%.*}${uptime#*.}0"
}

# ask HOST:PORT [COMMAND...]: the plain reply; without a command, commands come from stdin.
# redis-cli has no connect time-out before 7.4, hence `timeout`.
ask() {
    peer=$1
    shift
    timeout "$ASK_SECONDS" redis-cli -h "${peer%:*}" -p "${peer##*:}" "$@" 2>/dev/null | tr -d '\r'
}

# One line of a Sentinel that answers: ADDRESS EPOCH FLAGS REPLICAS RUNID HEARD, the last being
# the milliseconds since the primary last answered it.
# The address comes from GET-MASTER-ADDR-BY-NAME: the leader of a promotion names the new primary
# there seconds before it does so in SENTINEL MASTER (sentinel.c, sentinelGetCurrentMasterAddress).
ask_sentinel() {
    printf 'SENTINEL GET-MASTER-ADDR-BY-NAME %s\nSENTINEL MASTER %s\n' "$MASTER_NAME" "$MASTER_NAME" |
        ask "$1" | {
        read -r host && read -r port || return 0
        epoch='' flags='' replicas='' runid='' heard=''
        while read -r key && read -r value; do
            case $key in
                config-epoch) epoch=$value ;;
                flags) flags=$value ;;
                num-slaves) replicas=$value ;;
                runid) runid=$value ;;
                last-ok-ping-reply) heard=$value ;;
            esac
        done
        [ -z "$epoch" ] || echo "$host:$port $epoch $flags $replicas ${runid:-none} $heard"
    }
}

# ask_sentinels [HOST:PORT...]: the answers of all (or of the given) Sentinels, one line each.
ask_sentinels() {
    # shellcheck disable=SC2086  # a list, split on purpose
    [ $# -gt 0 ] || set -- $SENTINEL_PEERS
    for peer in "$@"; do ask_sentinel "$peer" & done
    wait
}

# How many Sentinels are more than half of all, the silent ones counted in.
# shellcheck disable=SC2086
majority() {
    set -- $SENTINEL_PEERS
    echo $(($# / 2 + 1))
}

# majority_of ANSWERS: the address that a majority of the Sentinels names, or nothing.
majority_of() {
    needed=$(majority)
    printf '%s\n' "$1" | cut -d ' ' -f 1 | sort | uniq -c | sort -rn | {
        read -r votes address || return 0
        [ "$votes" -lt "$needed" ] || echo "$address"
    }
}

# newest_of ANSWERS: the address with the highest configuration epoch, or nothing.
newest_of() {
    printf '%s\n' "$1" | sort -k 2,2nr | { read -r address _ || return 0; echo "$address"; }
}

# One line of a Redis server that answers: SEAT ROLE FOLLOWS LINK KEYS.
# LINK: up, lost (was up in the life of this process), never. KEYS: yes, no, maybe (loading, no
# permission). INFO is served while loading, PING is not.
ask_redis() {
    printf 'PING\nINFO replication\nINFO keyspace\n' | ask "$1" | {
        read -r pong || return 0
        role=unknown host='' port='' link=never keys=no
        while IFS=: read -r key value; do
            case $key in
                role) role=$value ;;
                master_host) host=$value ;;
                master_port) port=$value ;;
                master_link_status) [ "$value" != up ] || link=up ;;
                master_link_down_since_seconds) [ "$value" = -1 ] || link=lost ;;
                db[0-9]*) keys=yes ;;
            esac
        done
        [ "$pong" = PONG ] || keys=maybe
        case $role in master) role=primary ;; slave) role=replica ;; esac
        echo "$1 $role ${host:-nobody}:${port:-0} $link $keys"
    }
}

# ask_other_seats: the answers of all Redis servers but this one.
ask_other_seats() {
    for peer in $REDIS_PEERS; do
        [ "$peer" = "$SELF" ] || ask_redis "$peer" &
    done
    wait
}

#!/bin/sh
# preStop of the redis container: a primary hands its role over before it goes, and a replica
# finishes the file without which it would not go.
#
# Sentinel gets no goodbye from a server that stops: without this every planned restart costs
# down-after + election. Writes are held (CLIENT PAUSE), Sentinel promotes a replica that has
# everything, and the held connections break only when the new primary is there: nothing
# acknowledged is lost (docs/decisions/0015). Always exits 0: the deletion goes on anyway.
set -eu
# shellcheck source=manifests/base/scripts/ask.sh
. "${0%/*}/ask.sh"

LOG_TO=${LOG_TO:-/proc/1/fd/1}              # a hook's own output goes nowhere
SETTLE_SECONDS=${SETTLE_SECONDS:-1}         # for replicas that are being deleted with us to go
REPLICA_PATIENCE=${REPLICA_PATIENCE:-15}    # for a replica to come back
HANDOVER_PATIENCE=${HANDOVER_PATIENCE:-30}  # in all; must fit in the pod's grace period
PROMOTION_PATIENCE=${PROMOTION_PATIENCE:-10}
AOF_PATIENCE=${AOF_PATIENCE:-45}            # must fit in the pod's grace period, too

myself=127.0.0.1:${SELF##*:}
paused=no

main() {
    case $(ask_redis "$myself") in
        *" primary "*) ;;
        *) log "not a primary, nothing to hand over"; await_aof; return ;;
    esac
    sleep "$SETTLE_SECONDS"
    started=$(now)
    while [ $(($(now) - started)) -lt "$HANDOVER_PATIENCE" ]; do
        if is_replaced; then log "$named is primary already"; return; fi
        if has_replica; then
            if hand_over; then return; fi
        # All were deleted at once. As long as this one stays, Sentinel has no reason to promote a
        # replica that lacks what only this one has, and the returning replicas fetch it.
        elif [ $(($(now) - started)) -ge "$REPLICA_PATIENCE" ]; then
            log "no replica came back in $REPLICA_PATIENCE s, stopping as primary"
            return
        fi
        sleep 0.5
    done
    log "not handed over within $HANDOVER_PATIENCE s, stopping as primary"
}

# One attempt. Leaves the writes held only when the new primary is there.
hand_over() {
    [ -n "$(ask_sentinels)" ] || { log "no Sentinel answers"; return 1; }
    hold_writes
    await_level || { log "not all replicas have everything"; release_writes; return 1; }
    ask_for_promotion || { release_writes; return 1; }
    promotion_deadline=$(($(now) + PROMOTION_PATIENCE))
    while [ "$(now)" -lt "$promotion_deadline" ]; do
        if is_replaced; then log "handed over to $named"; paused=kept; return 0; fi
        sleep 0.2
    done
    log "no new primary within $PROMOTION_PATIENCE s"
    release_writes
    return 1
}

# A replica writes its AOF anew after each full resync. SIGTERM meanwhile is refused and forgotten
# (server.c, finishShutdown: "Writing initial AOF, can't exit"), and the pod would stand there until
# its grace period is over and be killed (docs/decisions/0019).
await_aof() {
    aof_deadline=$(($(now) + AOF_PATIENCE))
    while ask "$myself" INFO persistence | grep -q '^aof_rewrite_in_progress:1'; do
        [ "$(now)" -lt "$aof_deadline" ] || { log "the AOF is not written after $AOF_PATIENCE s"; return; }
        sleep 0.1
    done
}

# A majority of the Sentinels names another, and that one says it is primary.
is_replaced() {
    named=$(majority_of "$(ask_sentinels)")
    [ -n "$named" ] && [ "$named" != "$SELF" ] || return 1
    case $(ask_redis "$named") in *" primary "*) return 0 ;; *) return 1 ;; esac
}

# The first Sentinel that watches this primary and agrees. One may refuse what the next can do: each
# knows for itself which replicas it has in reach.
ask_for_promotion() {
    for sentinel in $SENTINEL_PEERS; do
        case $(ask_sentinel "$sentinel") in "$SELF "*) ;; *) continue ;; esac
        reply=$(ask "$sentinel" SENTINEL FAILOVER "$MASTER_NAME")
        case $reply in OK | INPROG*) return 0 ;; esac
        log "${sentinel%%.*} refuses: ${reply:-no answer}"
    done
    return 1
}

has_replica() {
    ask "$myself" INFO replication | grep -q '^slave[0-9]*:.*state=online'
}

# Held writes leave the offset alone, and a replica reports its own once a second. All that are
# online must be level: Sentinel chooses by what it asked them up to 10 s ago.
await_level() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
        info=$(ask "$myself" INFO replication)
        offset=$(printf '%s\n' "$info" | sed -n 's/^master_repl_offset://p')
        online=$(printf '%s\n' "$info" | grep -c 'state=online')
        level=$(printf '%s\n' "$info" | grep -c "state=online,offset=$offset,")
        [ "$level" -eq 0 ] || [ "$level" -ne "$online" ] || return 0
        sleep 0.1
    done
    return 1
}

# The pause outlives every wait here: held writes must never run on a server already replaced.
hold_writes() {
    ask "$myself" CLIENT PAUSE $(((HANDOVER_PATIENCE + PROMOTION_PATIENCE) * 1000)) WRITE >/dev/null
    paused=yes
}

release_writes() {
    [ "$paused" = yes ] || return 0
    paused=no
    ask "$myself" CLIENT UNPAUSE >/dev/null
}

trap release_writes EXIT
if [ -w "$LOG_TO" ]; then exec >>"$LOG_TO" 2>&1; fi
main

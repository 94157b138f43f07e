#!/bin/sh
# Readiness of a Redis server: it obeys (an error reply such as NOAUTH, LOADING or BUSY fails, by
# -e), can write to its disk, and a replica has its link up and is not in a full sync. The server
# judges itself in one read-only script, so this is one process that the kubelet can kill (see
# is-alive.sh).
#
# Sentinel is not asked: a loss of all Sentinels must not take a working Redis out of service. A
# primary that the Sentinels have replaced is taken out by redis-role-labeler.
exec redis-cli -e -p "${PROBE_PORT:-6379}" EVAL_RO '
    local info = redis.call("INFO", "persistence")
    if info:find("_status:err", 1, true) then
        return redis.error_reply("NOTREADY MISCONF: the last save or append to disk failed")
    end
    info = redis.call("INFO", "replication")
    if info:find("role:master", 1, true) then return "primary" end
    if not info:find("master_link_status:up", 1, true) then
        return redis.error_reply("NOTREADY replica without a link to its primary")
    end
    if not info:find("master_sync_in_progress:0", 1, true) then
        return redis.error_reply("NOTREADY replica in a full sync")
    end
    return "replica"' 0

#!/bin/sh
# Liveness and start-up: the server answers anything at all. PONG is an answer, and so are LOADING,
# BUSY, MASTERDOWN, NOAUTH and MISCONF: none of them gets better by a restart. redis-cli exits 0 on
# every reply, error replies included, and 1 without a connection. Silence is ended by the probe's
# timeoutSeconds; a TCP probe would take it for life, for the kernel goes on accepting.
#
# The probes run no `timeout`: busybox's leaves an orphan behind each time, and Redis, as process 1,
# does not collect orphans. For the same reason the kubelet must find redis-cli itself to kill.
exec redis-cli -p "${PROBE_PORT:-6379}" PING

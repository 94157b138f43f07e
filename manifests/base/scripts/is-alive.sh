#!/bin/sh
# Liveness and start-up: the server answers anything at all. PONG is an answer, and so are LOADING,
# BUSY, MASTERDOWN, NOAUTH and MISCONF: none of them gets better by a restart. redis-cli exits 0 on
# every reply, error replies included, and 1 without a connection. Only silence for 4 s is death;
# a TCP probe would not notice a frozen process, for the kernel goes on accepting.
exec timeout 4 redis-cli -p "${PROBE_PORT:-6379}" PING >/dev/null 2>&1

# shellcheck shell=bash
# Keeps programs running and stops them all at the end.

SUPERVISORS=()

# supervise NAME PROGRAM ARGS... : runs it for good, one second between two lives.
supervise() {
  local name=$1
  shift
  keep_alive "$name" "$@" >>"$LOGS/$name.log" 2>&1 &
  SUPERVISORS+=($!)
}

keep_alive() {
  local name=$1 child=0 status
  shift
  # A supervisor that is told to stop takes its program with it.
  trap 'kill -TERM $child 2>/dev/null; wait $child 2>/dev/null; exit 0' TERM
  while true; do
    "$@" &
    child=$!
    status=0
    wait "$child" || status=$?
    echo "supervise: $name ended with status $status; started again in 1 s"
    sleep 1
  done
}

# patiently SECONDS COMMAND... : every 0.1 s until it succeeds.
patiently() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.1
  done
}

stop_everything() {
  trap - TERM INT
  [ ${#SUPERVISORS[@]} -eq 0 ] || kill -TERM "${SUPERVISORS[@]}" 2>/dev/null || true
  exit 0
}

# `wait` returns for a trapped signal, a plain sleep would delay it.
wait_until_stopped() {
  while true; do
    wait || true
  done
}

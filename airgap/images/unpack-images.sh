#!/bin/bash
# unpack-images.sh ROOT BIN N LOADER... ARCHIVE... : imports the archives into a
# containerd of its own under ROOT and stops it. BIN holds containerd and ctr;
# the N words of LOADER come before them.
set -euo pipefail
root=$1 bin=$2 words=$3
shift 3
loader=("${@:1:words}")
shift "$words"

run=$root.run
mkdir -p "$root" "$run"
cat >"$run/config.toml" <<EOF
version = 2
root = "$root"
state = "$run/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.restart"]
[grpc]
  address = "$run/containerd.sock"
EOF
"${loader[@]}" "$bin/containerd" --config "$run/config.toml" --log-level warn &
daemon=$!
call() { "${loader[@]}" "$bin/ctr" --address "$run/containerd.sock" --namespace k8s.io "$@"; }
for _ in $(seq 200); do
  call version >/dev/null 2>&1 && break
  sleep 0.1
done
for archive in "$@"; do
  call images import "$archive"
done
call snapshots list
kill "$daemon"
wait "$daemon" || true

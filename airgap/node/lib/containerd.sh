# shellcheck shell=bash
# The container runtime and the images that come with the node.

export CONTAINERD_ADDRESS=$RUN/containerd/containerd.sock
export CONTAINERD_NAMESPACE=k8s.io
IMAGES=$STATE/agent/images

start_containerd() {
  adopt_store
  cat >"$CONFIG/containerd.toml" <<EOF
version = 2
root = "$STATE/agent/containerd"
state = "$RUN/containerd"
[grpc]
  address = "$CONTAINERD_ADDRESS"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$(cat /usr/share/k3s/pause-image)"
  # Where CAP_SYS_RESOURCE is missing, a score below the node's own cannot be set.
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "/etc/cni/net.d"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
EOF
  supervise containerd containerd --config "$CONFIG/containerd.toml" --log-level warn
  patiently 30 ctr version || fail "containerd does not answer; see $LOGS/containerd.log"
  import_images &
  IMPORT=$!
}

# Before the kubelet starts: a pod that comes first would try to pull, and wait long to try again.
wait_for_images() { wait "$IMPORT" || true; }

# The images as the suite unpacked them, once for all nodes: containerd starts with all of them present.
adopt_store() {
  local root=$STATE/agent/containerd
  if [ -d "$IMAGES/seed" ] && [ ! -d "$root/io.containerd.metadata.v1.bolt" ]; then
    cp -a "$IMAGES/seed/." "$root/"
  fi
}

# As k3s does: every archive found here is an image of this node.
import_images() {
  local archive
  [ ! -d "$IMAGES/seed" ] || return 0
  for archive in "$IMAGES"/*.tar; do
    [ -f "$archive" ] || continue
    ctr images import "$archive" >>"$LOGS/images.log" 2>&1 || say "image archive $archive cannot be imported"
  done
}

# shellcheck shell=bash
# Manifests in the server's folder are applied, and again whenever they change:
# k3d rewrites coredns.yaml there to add the names of its nodes.

ADDONS_EVERY=2

start_addons() {
  local file name
  mkdir -p "$MANIFESTS"
  for file in /usr/share/k3s/manifests/*.yaml; do
    name=$(basename "$file" .yaml)
    is_disabled "$name" || [ -f "$MANIFESTS/$name.yaml" ] || cp "$file" "$MANIFESTS"/
  done
  is_disabled local-storage || start_local_storage
  supervise addons apply_on_change
}

is_disabled() {
  local name
  for name in "${DISABLED[@]}"; do
    [ "$name" != "$1" ] || return 0
  done
  return 1
}

# Nothing is ever pruned: what a person applied by hand stays.
apply_on_change() {
  local file seen sum
  mkdir -p "$RUN/addons"
  while true; do
    for file in "$MANIFESTS"/*.yaml; do
      [ -f "$file" ] || continue
      seen=$RUN/addons/$(basename "$file").sum
      sum=$(sha256sum <"$file")
      if [ "$(cat "$seen" 2>/dev/null)" != "$sum" ] && kubectl apply -f "$file"; then
        echo "$sum" >"$seen"
      fi
    done
    sleep "$ADDONS_EVERY"
  done
}

# A process of the server, not a pod: claims bind before the pod network is up.
start_local_storage() {
  supervise local-path-provisioner local-path-provisioner start --config /usr/share/k3s/local-path/config.json \
    --namespace kube-system --kubeconfig "$CONFIG/admin.conf" --configmap-name local-path-config \
    --service-account-name local-path-provisioner-service-account \
    --helper-image "$(cat /usr/share/k3s/helper-image)" --helper-pod-file /usr/share/k3s/local-path/helperPod.yaml
}

# shellcheck shell=bash
# The pod network: a bridge per node, routes and NetworkPolicy by kube-router.

CONFLIST=/etc/cni/net.d/10-kube-router.conflist

start_pod_network() {
  write_conflist
  export NODE_NAME=$NODE KUBE_ROUTER_CNI_CONF_FILE=$CONFLIST
  supervise kube-router kube-router --kubeconfig="$CONFIG/node.conf" --hostname-override="$NODE" \
    --run-router=true --run-firewall=true --run-service-proxy=false --enable-cni=true --enable-overlay=false \
    --bgp-graceful-restart=true --metrics-port=0
}

# kube-router reads the pod range from this file, so it has to be there first.
write_conflist() {
  patiently 60 has_pod_range || fail "node $NODE is given no pod range"
  cat >$CONFLIST <<EOF
{"cniVersion": "0.3.1", "name": "pods", "plugins": [
  {"name": "kubernetes", "type": "bridge", "bridge": "kube-bridge", "isDefaultGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "subnet": "$(pod_range)"}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
EOF
}

pod_range() { kubectl get node "$NODE" -o 'jsonpath={.spec.podCIDR}'; }

has_pod_range() { [ -n "$(pod_range)" ]; }

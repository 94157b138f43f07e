# shellcheck shell=bash
# What runs on every node: kubelet and kube-proxy.

start_kubelet() {
  cat >"$CONFIG/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
cgroupRoot: /
failCgroupV1: false
failSwapOn: false
clusterDNS: [$DNS_ADDRESS]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://$CONTAINERD_ADDRESS
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
# Four nodes share the disk and the memory of one machine: none of them may act on its figures.
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
enforceNodeAllocatable: []
oomScoreAdj: 0
resolvConf: /etc/resolv.conf
nodeStatusUpdateFrequency: 4s
serializeImagePulls: false
EOF
  local labels taints
  labels=$(IFS=, && echo "${NODE_LABELS[*]}")
  taints=$(IFS=, && echo "${NODE_TAINTS[*]}")
  supervise kubelet kubelet --config="$CONFIG/kubelet.yaml" --kubeconfig="$CONFIG/node.conf" \
    --hostname-override="$NODE" --node-ip="$NODE_IP" ${labels:+--node-labels="$labels"} \
    ${taints:+--register-with-taints="$taints"} "${KUBELET_ARGS[@]}"
}

start_proxy() {
  # The conntrack limits belong to the machine, not to a container on it.
  supervise kube-proxy kube-proxy --kubeconfig="$CONFIG/node.conf" --hostname-override="$NODE" \
    --cluster-cidr="$POD_CIDR" --proxy-mode=iptables --conntrack-max-per-core=0 \
    --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0 --oom-score-adj=0 "${PROXY_ARGS[@]}"
}

is_registered() { kubectl get node "$NODE"; }

wait_for_registration() {
  patiently 120 is_registered || fail "the kubelet does not register; see $LOGS/kubelet.log"
}

# A kubelet may not give itself a role.
label_as_control_plane() {
  kubectl label --overwrite node "$NODE" node-role.kubernetes.io/control-plane=true >>"$LOGS/addons.log" 2>&1
}

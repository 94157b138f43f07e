# shellcheck shell=bash
# etcd, the API server, the controllers and the scheduler.

start_control_plane() {
  # Never synced to disk: the cluster does not outlive its container's volume, and four nodes share one disk.
  supervise etcd etcd --data-dir "$STATE/server/db" --unsafe-no-fsync --log-level warn \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 "${ETCD_ARGS[@]}"
  supervise kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 \
    --advertise-address="$NODE_IP" --allow-privileged=true --authorization-mode=Node,RBAC \
    --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
    --token-auth-file="$PKI/tokens.csv" --service-cluster-ip-range="$SERVICE_CIDR" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$PKI/service-account.key" --service-account-signing-key-file="$PKI/service-account.key" \
    --kubelet-preferred-address-types=InternalIP "${APISERVER_ARGS[@]}"
}

api_is_ready() { kubectl get --raw /readyz; }

wait_for_api() {
  patiently 180 api_is_ready || fail "the API server at $API does not get ready; see $LOGS"
}

start_controllers() {
  supervise kube-controller-manager kube-controller-manager --kubeconfig="$CONFIG/controllers.conf" \
    --allocate-node-cidrs=true --cluster-cidr="$POD_CIDR" --service-cluster-ip-range="$SERVICE_CIDR" \
    --root-ca-file="$PKI/ca.crt" --service-account-private-key-file="$PKI/service-account.key" \
    --use-service-account-credentials=true --leader-elect=false --bind-address=127.0.0.1 "${CONTROLLER_ARGS[@]}"
  supervise kube-scheduler kube-scheduler --kubeconfig="$CONFIG/scheduler.conf" --leader-elect=false \
    --bind-address=127.0.0.1 "${SCHEDULER_ARGS[@]}"
}

# shellcheck shell=bash
# Certificates of the API server and the tokens of everybody who talks to it.
#
# All tokens follow from K3S_TOKEN, so an agent knows its own without asking.
# Agents do not verify the server's certificate: the cluster lives on one
# private Docker network on one machine.

token_of() { printf '%s:%s' "$K3S_TOKEN" "$1" | sha256sum | cut -c1-40; }

issue_credentials() {
  mkdir -p "$PKI"
  [ -f "$PKI/ca.crt" ] || make_authority
  # Anew at every start: a restarted container may have another address.
  make_server_certificate
  {
    echo "$(token_of admin),system:admin,admin,\"system:masters\""
    echo "$(token_of controllers),system:kube-controller-manager,controllers"
    echo "$(token_of scheduler),system:kube-scheduler,scheduler"
    echo "$(token_of node),k3s-node,node,\"system:masters\""
  } >"$PKI/tokens.csv"
  write_kubeconfig admin "$CONFIG/admin.conf"
  write_kubeconfig controllers "$CONFIG/controllers.conf"
  write_kubeconfig scheduler "$CONFIG/scheduler.conf"
  write_node_credentials
  export KUBECONFIG=$CONFIG/admin.conf
}

write_node_credentials() {
  write_kubeconfig node "$CONFIG/node.conf"
  export KUBECONFIG=$CONFIG/node.conf
}

make_authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=k3s-server-ca \
    -keyout "$PKI/ca.key" -out "$PKI/ca.crt" 2>/dev/null
  openssl ecparam -genkey -name prime256v1 -noout -out "$PKI/service-account.key"
}

make_server_certificate() {
  local names="IP:127.0.0.1,IP:0.0.0.0,IP:10.43.0.1,IP:$NODE_IP,DNS:$NODE,DNS:localhost,DNS:kubernetes" name
  names+=",DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  for name in "${TLS_NAMES[@]}"; do
    [[ $name =~ ^[0-9.]+$ ]] && names+=",IP:$name" || names+=",DNS:$name"
  done
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=kube-apiserver \
    -keyout "$PKI/apiserver.key" -out "$RUN/apiserver.csr" 2>/dev/null
  openssl x509 -req -in "$RUN/apiserver.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 3650 \
    -extfile <(echo "subjectAltName=$names") -out "$PKI/apiserver.crt" 2>/dev/null
}

# write_kubeconfig WHO FILE
write_kubeconfig() {
  kubeconfig "insecure-skip-tls-verify: true" "$API" "$(token_of "$1")" >"$2"
}

# What k3d fetches, and what kubectl on the node finds by default.
write_kubeconfigs() {
  local target=${K3S_KUBECONFIG_OUTPUT:-/etc/rancher/k3s/k3s.yaml} authority
  authority=$(base64 -w0 "$PKI/ca.crt")
  mkdir -p "$(dirname "$target")"
  kubeconfig "certificate-authority-data: $authority" "$API" "$(token_of admin)" >"$target"
  [ "$target" -ef /etc/rancher/k3s/k3s.yaml ] || cp "$target" /etc/rancher/k3s/k3s.yaml
  chmod 600 "$target" /etc/rancher/k3s/k3s.yaml
}

# kubeconfig TRUST SERVER TOKEN
kubeconfig() {
  cat <<EOF
apiVersion: v1
kind: Config
clusters: [{name: default, cluster: {server: "$2", $1}}]
users: [{name: default, user: {token: "$3"}}]
contexts: [{name: default, context: {cluster: default, user: default}}]
current-context: default
EOF
}

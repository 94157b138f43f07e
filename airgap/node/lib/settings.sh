# shellcheck shell=bash disable=SC2034
# What was asked for on the command line and where things are.

STATE=/var/lib/rancher/k3s
PKI=$STATE/server/tls
MANIFESTS=$STATE/server/manifests
RUN=/run/k3s
CONFIG=/etc/k3s
LOGS=/var/log/k3s
POD_CIDR=10.42.0.0/16
SERVICE_CIDR=10.43.0.0/16
DNS_ADDRESS=10.43.0.10

APISERVER_ARGS=()
CONTROLLER_ARGS=()
SCHEDULER_ARGS=()
KUBELET_ARGS=()
PROXY_ARGS=()
ETCD_ARGS=()
NODE_LABELS=()
NODE_TAINTS=()
TLS_NAMES=()
DISABLED=()

say() { printf 'time="%s" level=info msg="%s"\n' "$(date -u +%FT%TZ)" "$*"; }

fail() {
  printf 'time="%s" level=fatal msg="%s"\n' "$(date -u +%FT%TZ)" "$*" >&2
  exit 1
}

is_server() { [ "$ROLE" = server ]; }

read_command_line() {
  ROLE=${1:-}
  case $ROLE in
    server | agent) shift ;;
    # k3d's tools container, which works by exec alone.
    noop) exec sleep infinity ;;
    *) fail "unknown command '${ROLE}': this image knows 'server' and 'agent'" ;;
  esac
  while [ $# -gt 0 ]; do
    local flag=${1%%=*} value
    if [[ $1 == *=* ]]; then
      value=${1#*=}
    elif [ $# -gt 1 ] && [[ $2 != --* ]]; then
      value=$2
      shift
    else
      value=true
    fi
    shift
    take_flag "$flag" "$value"
  done
  [ -n "${K3S_TOKEN:-}" ] || fail "K3S_TOKEN is not set"
  is_server || [ -n "${K3S_URL:-}" ] || fail "K3S_URL is not set: an agent needs its server"
}

take_flag() {
  case $1 in
    --kube-apiserver-arg) APISERVER_ARGS+=("--$2") ;;
    --kube-controller-manager-arg) CONTROLLER_ARGS+=("--$2") ;;
    --kube-scheduler-arg) SCHEDULER_ARGS+=("--$2") ;;
    --kube-proxy-arg) PROXY_ARGS+=("--$2") ;;
    --kubelet-arg) KUBELET_ARGS+=("--$2") ;;
    --etcd-arg) ETCD_ARGS+=("--$2") ;;
    --node-label) NODE_LABELS+=("$2") ;;
    --node-taint) NODE_TAINTS+=("$2") ;;
    --tls-san) TLS_NAMES+=("$2") ;;
    --disable) IFS=, read -ra names <<<"$2" && DISABLED+=("${names[@]}") ;;
    --cluster-cidr) POD_CIDR=$2 ;;
    --token) K3S_TOKEN=$2 ;;
    --server) K3S_URL=$2 ;;
    *) say "ignored: $1 $2 (not known to this image)" ;;
  esac
}

find_addresses() {
  NODE=$(hostname)
  NODE_IP=$(ip -4 -oneline address show dev eth0 | awk '{split($4, a, "/"); print a[1]; exit}')
  [ -n "$NODE_IP" ] || fail "eth0 has no IPv4 address"
  if is_server; then
    API=https://127.0.0.1:6443
  else
    API=$K3S_URL
  fi
}

prepare_host() {
  mkdir -p $LOGS $CONFIG $RUN/containerd $STATE/storage $STATE/agent/containerd /etc/cni/net.d /etc/rancher/k3s
  # Mounts that a pod makes have to reach its neighbours, as on any Kubernetes node.
  mount --make-rshared /
  choose_iptables
}

# Debian ships both kinds of iptables; some kernels have only one.
choose_iptables() {
  local kind=nft name
  xtables-nft-multi iptables-save >/dev/null 2>&1 || kind=legacy
  for name in iptables ip6tables; do
    ln -sf "xtables-$kind-multi" /usr/sbin/$name
    ln -sf "xtables-$kind-multi" /usr/sbin/$name-save
    ln -sf "xtables-$kind-multi" /usr/sbin/$name-restore
  done
}

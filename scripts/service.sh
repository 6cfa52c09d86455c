# What scripts/kafka, scripts/zookeeper and scripts/postgres share: processes for tests, each in a
# folder DIR/node-N with its settings (server.properties), its log and its process id (pid).
# The script that reads this sets: dir; optionally start_seconds_max, stop_seconds_max, stop_signal;
# and defines serves NODE: whether that node answers.
# shellcheck shell=bash disable=SC2154

set -euo pipefail

: "${start_seconds_max:=60}" "${stop_seconds_max:=10}" "${stop_signal:=TERM}"

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }
say() { echo "${0##*/}: $*" >&2; }
fail() { say "$@"; exit 1; }

# pick_ports COUNT: ports on which nobody listens, below the range that the kernel hands out itself.
pick_ports() {
  local port picked=' ' count=0
  while ((count < $1)); do
    port=$((15000 + RANDOM % 17000))
    if [[ $picked != *" $port "* ]] && ! (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
      picked+="$port " count=$((count + 1))
    fi
  done
  echo "$picked"
}

# pid_of NODE: its process id, if the process is alive and still that node's.
pid_of() {
  local pid
  pid=$(cat "$1/pid" 2> /dev/null) || return 1
  grep -qzxF "$1/server.properties" "/proc/$pid/cmdline" 2> /dev/null || return 1
  echo "$pid"
}

alive() {
  local node
  for node in "$dir"/node-*; do
    if pid_of "$node" > /dev/null; then return 0; fi
  done
  return 1
}

# launch NODE COMMAND...: in its own session, as Ctrl-C in the caller's terminal is not for it. It
# must not hold the lock.
launch() {
  : > "$1/log"  # what an earlier process said must not be taken for this one's
  setsid "${@:2}" < /dev/null > "$1/log" 2>&1 8>&- &
  echo $! > "$1/pid"
}

# await NODE...: returns when all of them serve.
await() {
  local node deadline=$((SECONDS + start_seconds_max))
  for node; do
    until serves "$node"; do
      kill -0 "$(< "$node/pid")" 2> /dev/null || give_up "${node##*/} has ended" "$node"
      ((SECONDS < deadline)) \
        || give_up "${node##*/} does not serve after $start_seconds_max s" "$node"
      sleep 0.2
    done
  done
}

# give_up WHAT NODE: says what happened with the end of the node's log, and leaves nothing behind.
give_up() {
  say "$1; the end of its log:"
  tail -n 25 "$2/log" >&2
  stop
  exit 1
}

signal_all() {
  local node pid
  for node in "$dir"/node-*; do
    if pid=$(pid_of "$node"); then kill "-$1" "$pid" 2> /dev/null || true; fi
  done
}

stop() {
  local link deadline=$((SECONDS + stop_seconds_max)) signal=$stop_signal
  signal_all "$signal"
  while alive; do
    if ((SECONDS >= deadline)) && [[ $signal != KILL ]]; then
      signal=KILL
      signal_all KILL
    fi
    sleep 0.1
  done
  for link in "$dir"/node-*/data; do  # of a server that has it elsewhere
    [[ ! -L $link ]] || rm -rf --one-file-system "$(readlink "$link")"
  done
  rm -rf "$dir"/node-[1-9] "$dir/bootstrap" "$dir/lock"
  rmdir "$dir" 2> /dev/null || true
}

# locked COMMAND: one start or stop at a time for each directory.
locked() {
  mkdir -p "$dir"
  exec 8> "$dir/lock"
  flock 8
  "$@"
}

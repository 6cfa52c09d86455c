#!/usr/bin/env bash
# label: kafka
# Outputs on a disk that fills up: the batch in hand waits until there is room, is said to, and is there
# once; a start on a full disk waits, too, and SIGTERM does not.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
needs_small_disk 64m
needs_kafka
cd "$work"

sqlite_records() { python3 -c 'import sqlite3
print(sqlite3.connect("disk/counts.db").execute("select coalesce(sum(records), 0) from kstream_batches").fetchone()[0])'; }
file_records() { cat disk/files/batch-*.json 2> /dev/null | counted /dev/stdin; }

for kind in sqlite file; do
  topic=$kind-disk-$run
  make_topic "$topic" 1
  lines 6 30000 > feed
  # A batch that does not fit into what SQLite keeps for itself.
  seq -f 'a-word-that-is-nowhere-else-and-takes-its-room-%06.0f' 80000 >> feed
  text_sums < feed > want
  case $kind in
    sqlite) output=sqlite:disk/counts.db sums=(sqlite_sums disk/counts.db "$topic") ;;
    file) output=file:disk/files sums=(file_sums disk/files) ;;
  esac
  count=("$KSTREAM" wordcount -b "$brokers" -t "$topic" --from earliest -i 200ms --name "$topic" --state-dir "$kind.state" --output "$output")
  send() { "$KSTREAM" produce -b "$brokers" -t "$topic" 2> produce.err; }
  holds() { [[ $("${kind}_records") == "$1" ]]; }
  waits() { grep -q "${output#*:}.*Trying again" err; }

  launch "${count[@]}"
  head -n 10000 feed | send
  wait_for 30 holds 10000 || { cat err >&2; fail "$kind: it counts nothing"; }
  fill
  sed -n 10001,30000p feed | send
  wait_for 30 waits || { cat err >&2; fail "$kind: nothing is said of a full disk"; }
  sleep 1
  kill -0 "$daemon" || { cat err >&2; fail "$kind: a full disk ended it"; }
  rm disk/filler
  wait_for 30 holds 30000 || { cat err >&2; fail "$kind: there is room again"; }
  ends 0 "$kind, with room"
  # Room for a start, but not for the batch.
  fill
  truncate -s -1M disk/filler
  tail -n 80000 feed | send
  launch "${count[@]}"
  wait_for 30 waits || { cat err >&2; fail "$kind: nothing is said of too little room"; }
  SECONDS=0
  ends 75 "$kind, too little room at its stop"
  ((SECONDS <= 12)) || fail "$kind, too little room at its stop: it ended after $SECONDS s"
  grep -q "batch .*: stopped before it was done" err || { cat err >&2; fail "$kind: nothing is said of the batch in hand"; }
  fill
  launch "${count[@]}"
  wait_for 30 waits || { cat err >&2; fail "$kind: a start on a full disk says nothing"; }
  rm disk/filler
  wait_for 30 holds 110000 || { cat err >&2; fail "$kind: there is room again after a start"; }
  ends 0 "$kind, at the end"
  "${sums[@]}" > got
  same "$kind" want got
done

#!/usr/bin/env bash
# label: cluster
# Three brokers of its own: leaders and coordinators that move, brokers that hang, and none at all for a
# while. A direct stream and a receiver wait and go on, and their counts are exact.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
needs_kafka
outage_seconds=${KSTREAM_TEST_OUTAGE_SECONDS:-60}

kafka=("$here/../../scripts/kafka")
stop_cluster() { "${kafka[@]}" stop --dir "$work/cluster" || true; cleanup; }
trap stop_cluster EXIT
brokers=$("${kafka[@]}" start --dir "$work/cluster" --nodes 3)
brokers=${brokers#bootstrap }
cd "$work"
nodes() { cat cluster/node-*/pid; }

topic=moves
"$KSTREAM_TOOLS/topics" "$brokers" create "$topic" 6 3
seconds=$((outage_seconds + 45))
lines 3 $((seconds * 4000)) > feed
"$KSTREAM" wordcount -b "$brokers" -t "$topic" --from earliest -i 500ms --format json \
  --state-dir state > out 2> err &
daemon=$!
children+=("$daemon")
"$KSTREAM" wordcount --mode receiver -b "$brokers" -t "$topic" --from earliest -i 500ms \
  --format json --state-dir received > out.received 2> err.received &
receiver=$!
children+=("$receiver")
"$KSTREAM" produce -b "$brokers" -t "$topic" --rate 4000 < feed 2> produce.err &
producer=$!
children+=("$producer")

moved=$(java -Xmx128m -cp "$KSTREAM_TEST_CLASSPATH" "$here/../tools/MoveLeaders.java" "$brokers" \
  "$topic" 20 300)
((moved >= 15)) || fail "the leaders moved only $moved times"

# One of three hangs, then all of them.
read -r first _ <<< "$(nodes | xargs)"
kill -STOP "$first"
sleep 5
kill -CONT "$first"
# shellcheck disable=SC2046  # words
kill -STOP $(nodes)
sleep 8
# shellcheck disable=SC2046
kill -CONT $(nodes)

# shellcheck disable=SC2046
kill -TERM $(nodes)
sleep "$outage_seconds"
"${kafka[@]}" start --dir "$work/cluster" > /dev/null

wait "$producer" || { cat produce.err >&2; fail "produce ended with $?"; }
# What is in the topic says an independent reader: over such outages librdkafka's producer (2.0.2) may
# send a record twice, and does.
kcat -C -b "$brokers" -t "$topic" -o beginning -e -q > there 2> kcat.err
(($(wc -l < there) >= $(wc -l < feed))) || fail "the topic has fewer records than were sent"
text_sums < there > want
counted() { [[ $(python3 -c 'import json, sys; print(sum(json.loads(l)["records"] for l in open(sys.argv[1]) if l.endswith("\n")))' "$1") == $(wc -l < there) ]]; }
# ends_well NAME PROCESS OUT ERR
ends_well() {
  wait_for 90 counted "$3" || { cat "$4" >&2; fail "$1: not all records were counted"; }
  kill -TERM "$2"
  wait "$2" || { cat "$4" >&2; fail "$1: it ended with $?"; }
  python3 "$here/batches.py" "$3" 2> batches | LC_ALL=C sort > got || { cat batches >&2; fail "$1: batches"; }
  same "$1: the counts over $moved moves and an outage of $outage_seconds s" want got
}
ends_well direct "$daemon" out err
says "Trying again"
ends_well receiver "$receiver" out.received err.received
! grep -q 'counted twice' err.received || fail "the receiver was alone: $(cat err.received)"

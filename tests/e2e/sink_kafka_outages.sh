#!/usr/bin/env bash
# label: cluster
# A broker of its own that is killed and started again while batches go to a topic: what came of each
# commit is found out, and every batch is there whole and once. Before that, its first batch ever: no
# consumer group has had a coordinator there.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
needs_kafka
outages=${KSTREAM_TEST_OUTAGES:-4}
RANDOM=${KSTREAM_TEST_SEED:-3}

kafka=("$here/../../scripts/kafka")
stop_broker() { "${kafka[@]}" stop --dir "$work/cluster" || true; cleanup; }
trap stop_broker EXIT
brokers=$("${kafka[@]}" start --dir "$work/cluster" --nodes 1)
brokers=${brokers#bootstrap }
cd "$work"

make_topic first 1
make_topic first-out 1
"$KSTREAM_TOOLS/transactions" "$brokers" first other commit:a,b,a
# A commit is acknowledged a little before readers see it: they, and the run's end, come after that.
holds() { [[ $(kcat -C -b "$brokers" -t "$1" -o beginning -e -q -K= 2> kcat.err | sort | xargs) == "$2" ]]; }
wait_for 30 holds first "=a =a =b" || fail "the first records are not there"
"$KSTREAM" wordcount -b "$brokers" -t first --from earliest -e --output kafka:first-out \
  --state-dir state.first > first.out 2> first.err || { cat first.err >&2; fail "the first batch ended with $?"; }
wait_for 30 holds first-out "a=2 b=1" || fail "the first batch is not there"

# A commit that comes to nothing, and a transaction at the positions that does not end: that is what it
# looks like when a broker has lost the end of one. It is ended, and the batch is written again.
make_topic held 1
make_topic held-out 1
lines 5 30000 | "$KSTREAM" produce -b "$brokers" -t held 2> produce.err
mkfifo pipe
exec 8<> pipe
launch "$KSTREAM" wordcount -b "$brokers" -t held --from earliest -i 200ms --format json --state-dir state.held \
  -X socket.timeout.ms=4000 --output stdout --output kafka:held-out > pipe
exec 9< pipe 8>&-
read -t 30 -rn 1 -u 9 first || { cat err >&2; fail "no batch comes"; }
# The batch is more than a pipe takes: it is not in the topic yet.
hold held kstream:held:held-out
kill -STOP "$(cat cluster/node-1/pid)"
{ echo -n "$first"; cat <&9; } > out.held &
reader=$!
children+=("$reader")
wait_for 40 grep -q 'Trying again' err || { cat err >&2; fail "a broker that hangs is not seen"; }
kill -CONT "$(cat cluster/node-1/pid)"
wait_for 40 grep -q 'lost the end of a transaction that may be of batch 1' err \
  || { cat err >&2; fail "a transaction that does not end is not seen"; }
release
wait_for 30 is_at_end kstream:held:held-out held 1 || { cat err >&2; fail "the batch is not there"; }
ends 0 "after a transaction that did not end"
wait "$reader"
consume held-out > consumed
python3 "$here/topic_batches.py" consumed out.held 2> batches | LC_ALL=C sort > got || { cat batches >&2; fail "batches"; }
lines 5 30000 | text_sums > want
same "the counts after a transaction that did not end" want got

make_topic in 2
make_topic direct-out 3
make_topic receiver-out 3
lines 3 $((outages * 60000)) > feed
"$KSTREAM" produce -b "$brokers" -t in --rate 4000 --startup-timeout 2m < feed 2> produce.err &
producer=$!
children+=("$producer")
declare -A process
for mode in direct receiver; do
  "$KSTREAM" wordcount --mode "$mode" -b "$brokers" -t in --from earliest -i 100ms --format json \
    --output stdout --output "kafka:$mode-out" --name "$mode" --state-dir "state.$mode" \
    -X session.timeout.ms=6000 > "out.$mode" 2> "err.$mode" &
  process[$mode]=$!
  children+=("$!")
done
for ((outage = 1; outage <= outages; outage++)); do
  sleep "$((RANDOM % 3 + 2)).$((RANDOM % 10))"
  if ((outage % 2)); then
    kill -KILL "$(cat cluster/node-1/pid)"
    sleep 2
    "${kafka[@]}" start --dir "$work/cluster" > start.out
  else  # it hangs for longer than anything waits for a commit
    kill -STOP "$(cat cluster/node-1/pid)"
    sleep 14
    kill -CONT "$(cat cluster/node-1/pid)"
  fi
done
wait "$producer" || { cat produce.err >&2; fail "produce ended with $?"; }

# What is in the topic says an independent reader: over outages a producer may send a record twice.
kcat -C -b "$brokers" -t in -o beginning -e -q > there 2> kcat.err
(($(wc -l < there) >= $(wc -l < feed))) || fail "the topic has fewer records than were sent"
text_sums < there > want
for mode in direct receiver; do
  wait_for 90 is_at_end "kstream:$mode:$mode-out" in 2 || { cat "err.$mode" >&2; fail "$mode: it does not come to the end"; }
  kill -TERM "${process[$mode]}"
  wait "${process[$mode]}" || { cat "err.$mode" >&2; fail "$mode: it ended with $?"; }
  consume "$mode-out" > consumed
  python3 "$here/topic_batches.py" consumed "out.$mode" 2> batches | LC_ALL=C sort > got \
    || { cat batches >&2; fail "$mode: batches"; }
  same "$mode: the counts over $outages outages" want got
  echo "$mode: $outages outages, $(< batches) batches, $(grep -c 'Trying again' "err.$mode") warnings"
done

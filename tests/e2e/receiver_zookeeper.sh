#!/usr/bin/env bash
# label: kafka
# A receiver whose positions are ZooKeeper's: the classic layout, where it starts, restarts, and a
# ZooKeeper that is away for a while.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
outage_seconds=${KSTREAM_TEST_OUTAGE_SECONDS:-10}
needs_kafka
# Its own, as it goes away. A second start has the same port and data.
zookeeper=("$here/../../scripts/zookeeper")
stop_zookeeper() { "${zookeeper[@]}" stop --dir "$work/zookeeper" || true; cleanup; }
trap stop_zookeeper EXIT
address=$(cd / && "${zookeeper[@]}" start --dir "$work/zookeeper")
address=${address#zookeeper }
cd "$work"

zk() {
  java -Xmx64m -XX:TieredStopAtLevel=1 -cp /usr/share/java/zookeeper.jar \
    org.apache.zookeeper.ZooKeeperMain -server "$address" "$@" 2> zk.err
}
# published GROUP TOPIC PARTITIONS: what ZooKeeper has, as log_ends says it.
published() {
  local partition wanted=()
  for ((partition = 0; partition < $3; partition++)); do wanted+=("$2:$partition"); done
  "$KSTREAM_TOOLS/offsets_probe" read zookeeper "$address" "$1" "${wanted[@]}" 2> probe.err \
    | tr ' ' '\n' | sort -t : -k 2n
}
is_published() { [[ $(published "$@") == "$(log_ends "${@:2}")" ]]; }
gets() { [[ $(counted out) == "$1" ]] || { cat err >&2; fail "$2: $(counted out) of $1"; }; }
sees() { (($(counted out) >= $1)); }
receive=(wordcount --mode receiver -b "$brokers" --zookeeper "$address" --from earliest --format json -i 200ms
  -X session.timeout.ms=6000)
daemon() { launch "$KSTREAM" "${receive[@]}" "$@" > out; }  # ARGUMENT...

topic=zookeeper-$run group=g-$run
make_topic "$topic" 2
lines 3 20000 > feed
# By keys, so that both partitions have many.
awk '{print NR ":" $0}' feed | "$KSTREAM" produce -b "$brokers" -t "$topic" --key-separator : 2> produce.err

# Where it starts: as an old consumer left it, at the beginning where none was.
"$KSTREAM_TOOLS/offsets_probe" publish zookeeper "$address" "$group" "$topic:0:1000" > /dev/null
exits 0 "${receive[@]}" -g "$group" -t "$topic" -e --state-dir state
gets 19000 "with a value of somebody else's"
[[ $(head -n 1 out | grep -oF "\"$topic\",0,1000," | wc -l) == 1 ]] || fail "it began elsewhere: $(head -c 200 out)"

# The classic layout, in decimal digits and nothing else.
is_published "$group" "$topic" 2 || fail "published: $(published "$group" "$topic" 2)"
[[ $(zk get "/consumers/$group/offsets/$topic/0" | tail -n 1) == "$(log_ends "$topic" 1 | cut -d : -f 3)" ]] \
  || fail "ZooKeeper's own client says $(zk get "/consumers/$group/offsets/$topic/0")"

# Restarts go on there, also without a log, and where Kafka knows nothing of the group.
exits 0 "${receive[@]}" -g "$group" -t "$topic" -e --state-dir state; gets 0 "a restart"
head -n 500 feed | "$KSTREAM" produce -b "$brokers" -t "$topic" 2> produce.err
exits 0 "${receive[@]}" -g "$group" -t "$topic" -e --state-dir state; gets 500 "a restart with more"
ends=$(log_ends "$topic" 2)
for line in $ends; do
  "$KSTREAM_TOOLS/offsets_probe" publish zookeeper "$address" "other-$run" "${line%:*}:$((${line##*:} - 7))" > /dev/null
done
exits 0 "${receive[@]}" -g "other-$run" -t "$topic" -e; gets 14 "no log, positions of somebody else"
exits 0 "${receive[@]}" -g "other-$run" -t "$topic" -e; gets 0 "no log, a restart"
is_published "other-$run" "$topic" 2 || fail "no log: $(published "other-$run" "$topic" 2)"

# A value that is none.
zk set "/consumers/other-$run/offsets/$topic/0" 'x' > zk.out
exits 65 "${receive[@]}" -g "other-$run" -t "$topic" -e; says "/consumers/other-$run/offsets/$topic/0"

# Away for a while, under load: counting goes on, positions come later, nothing is lost.
away=away-$run
make_topic "$away" 2
lines 4 $(((outage_seconds + 8) * 4000)) > feed
text_sums < feed > want
: > nothing
"$KSTREAM" produce -b "$brokers" -t "$away" --rate 4000 < feed 2> produce.err &
producer=$!
children+=("$producer")
daemon -g "$away" -t "$away" --state-dir state-away
wait_for 20 sees 1 || { cat err >&2; fail "it counts nothing"; }
pid=$(< zookeeper/node-1/pid)
kill -KILL "$pid"
before=$(counted out)
sleep "$outage_seconds"
sees $((before + outage_seconds * 2000)) || { cat err >&2; fail "it stood still: $before, then $(counted out)"; }
"${zookeeper[@]}" start --dir "$work/zookeeper" > zk.out
wait "$producer" || { cat produce.err >&2; fail "produce ended with $?"; }
wait_for 30 sees "$(wc -l < feed)" || { cat err >&2; fail "counted $(counted out)"; }
wait_for 10 is_published "$away" "$away" 2 || { cat err >&2; fail "after it was back: $(published "$away" "$away" 2)"; }
says 'Receiving goes on'
ends 0 "ZooKeeper was away"
log_ends "$away" 2 > ends
python3 "$here/coverage.py" ends nothing out 2> figures | LC_ALL=C sort > got || { cat figures >&2; fail "coverage"; }
same "ZooKeeper away for $outage_seconds s" want got

# Killed while it is away: another begins where ZooKeeper is, and what came twice is reported.
lines 5 24000 > feed
taken=taken-$run
make_topic "$taken" 2
"$KSTREAM" produce -b "$brokers" -t "$taken" --rate 6000 < feed 2> produce.err &
producer=$!
children+=("$producer")
daemon -g "$taken" -t "$taken" --state-dir state-a -X session.timeout.ms=2000 -X heartbeat.interval.ms=500
wait_for 20 sees 3000 || { cat err >&2; fail "it counts nothing"; }
kill -KILL "$(< zookeeper/node-1/pid)"
wait_for 20 sees 9000 || { cat err >&2; fail "it stood still"; }
kill -KILL "$daemon"
wait "$daemon" 2> /dev/null || true
cp out out.a1
cp err err.a1
"${zookeeper[@]}" start --dir "$work/zookeeper" > zk.out
daemon -g "$taken" -t "$taken" --state-dir state-b -X session.timeout.ms=2000 -X heartbeat.interval.ms=500
wait "$producer" || { cat produce.err >&2; fail "produce ended with $?"; }
wait_for 30 is_published "$taken" "$taken" 2 || { cat err >&2; fail "not taken over: $(published "$taken" "$taken" 2)"; }
ends 0 "who took over"
cp out out.b
exits 0 "${receive[@]}" -g "$taken" -t "$taken" -e --state-dir state-b
cp out out.b2
exits 0 "${receive[@]}" -g "$taken" -t "$taken" -e --state-dir state-a
cp out out.a2
log_ends "$taken" 2 > ends
cat err err.a1 > said
python3 "$here/coverage.py" ends said out.a1,out.a2 out.b,out.b2 2> figures > got || { cat figures >&2; fail "killed while ZooKeeper was away"; }
read -r _ _ twice reported < figures
echo "ZooKeeper away for $outage_seconds s; then one killed meanwhile: $twice offsets counted twice, $reported reported"
((twice > 0)) || fail "nothing was counted twice: that shows nothing"

#!/usr/bin/env bash
# label: kafka
# Positions are published so that Kafka's and ZooKeeper's own tools see them, and read back as these
# tools write them; what does not answer costs a bounded time.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
zookeeper_script=$(realpath "$(dirname "$0")/../../scripts/zookeeper")
cd "$work"
: "${KSTREAM_TEST_BROKERS:?the address of a Kafka, as scripts/test gives it}"
: "${KSTREAM_TEST_CLASSPATH:?the class path of its tools, as scripts/kafka classpath gives it}"
: "${KSTREAM_TEST_ZOOKEEPER:?the address of a ZooKeeper, as scripts/test gives it}"
brokers=$KSTREAM_TEST_BROKERS zookeeper=$KSTREAM_TEST_ZOOKEEPER
run=$$-$RANDOM
topic=offsets-$run

# probe CODE ARGUMENT...: runs the tool, leaves its output in out and err, and wants this status.
probe() {
  local want=$1 got=0
  shift
  timeout 60 "$KSTREAM_TOOLS/offsets_probe" "$@" > out 2> err || got=$?
  [[ $got == "$want" ]] || { cat out err >&2; fail "offsets_probe $*: exit $got, wanted $want"; }
}
# answers TEXT: the probe's last output has it.
answers() { grep -qF -- "$1" out || { cat out err >&2; fail "the output lacks: $1"; }; }
# zk ADDRESS COMMAND...: ZooKeeper's own client.
zk() {
  java -Xmx64m -XX:TieredStopAtLevel=1 -cp /usr/share/java/zookeeper.jar \
    org.apache.zookeeper.ZooKeeperMain -server "$@" 2> zk.err
}
# zk_value ADDRESS NODE: its value, the last line that the client prints.
zk_value() { zk "$1" get "$2" | tail -n 1; }
kafka_tool=(java -Xmx128m -XX:TieredStopAtLevel=1 -cp "$KSTREAM_TEST_CLASSPATH")
# group_row GROUP PARTITION: POSITION END LAG as Kafka's own tool says them.
group_row() {
  "${kafka_tool[@]}" org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --bootstrap-server "$brokers" \
    --describe --group "$1" 2> tool.err | awk -v t="$topic" -v p="$2" '$2 == t && $3 == p {print $4, $5, $6}'
}

# --- a group of Kafka
make_topic "$topic" 2
for i in $(seq 100); do echo "$i:word"; done | "$KSTREAM" produce -b "$brokers" -t "$topic" --key-separator : 2> err
ends=$("$KSTREAM" wordcount -b "$brokers" -t "$topic" --from earliest -e --once --format json 2> err \
  | python3 -c 'import json, sys
for topic, partition, start, end in json.loads(sys.stdin.readline())["ranges"]: print(end)')
{ read -r end0; read -r end1; } <<< "$ends"
((end0 + end1 == 100 && end0 > 5 && end1 > 5)) || fail "the ends are $end0 and $end1"

probe 0 read kafka "$brokers" "g-$run" "$topic:0" "$topic:1"; answers none
probe 0 publish kafka "$brokers" "g-$run" "$topic:0:$((end0 - 5))"
probe 0 read kafka "$brokers" "g-$run" "$topic:0" "$topic:1" "$topic:9"
answers "$topic:0:$((end0 - 5))"
[[ $(wc -w < out) == 1 ]] || fail "positions out of nothing: $(cat out)"
probe 0 publish kafka "$brokers" "g-$run" "$topic:0:$((end0 - 3))" "$topic:1:$end1"
[[ $(group_row "g-$run" 0) == "$((end0 - 3)) $end0 3" ]] || fail "partition 0: $(group_row "g-$run" 0)"
[[ $(group_row "g-$run" 1) == "$end1 $end1 0" ]] || fail "partition 1: $(group_row "g-$run" 1)"
probe 66 publish kafka "$brokers" "g-$run" "$topic:0:1" "no-$topic:0:1"; answers "no-$topic:0"
probe 64 publish kafka "$brokers" '' "$topic:0:1"

# A group with members is theirs. When they have left, it may be written again.
for protocol in classic consumer; do
  group=members-$protocol-$run
  "${kafka_tool[@]}" org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$brokers" --topic "$topic" \
    --group "$group" --from-beginning --command-property "group.protocol=$protocol" > member.out 2> member.err &
  member=$!
  children+=("$member")
  for _ in $(seq 200); do ! grep -q word member.out || break; sleep 0.1; done
  grep -q word member.out || { cat member.err >&2; fail "the $protocol member does not consume"; }
  probe 75 publish kafka "$brokers" "$group" "$topic:0:2"
  answers "group '$group' has active members"
  answers "choose another --group"
  probe 0 read kafka "$brokers" "$group" "$topic:0"
  kill -TERM "$member"
  wait "$member" || true
  probe 0 publish kafka "$brokers" "$group" "$topic:0:2"
  probe 0 read kafka "$brokers" "$group" "$topic:0"; answers "$topic:0:2"
done

# No broker: the first call takes its time, the others are short, and so is the end.
SECONDS=0
probe 69 publish kafka 127.0.0.1:1 g t:0:1 - <<< $'t:0:2\nt:0:3'
[[ $(grep -c '^error 69 transient: .*refused' out) == 3 ]] || fail "three calls: $(cat out)"
awk '/^took/ && $2 > (NR == 1 ? 5500 : 1000) {exit 1}' err || fail "too long: $(cat err)"
((SECONDS < 12)) || fail "three calls and the end took $SECONDS s"

# --- ZooKeeper, and its own client
node=/consumers/g-$run/offsets/$topic
probe 0 read zookeeper "$zookeeper" "g-$run" "$topic:0"; answers none
probe 0 publish zookeeper "$zookeeper" "g-$run" "$topic:0:41" "$topic:1:9223372036854775807"
[[ ! -s err ]] || fail "the client writes to standard error: $(cat err)"
[[ $(zk_value "$zookeeper" "$node/0") == 41 ]] || fail "partition 0 is $(zk_value "$zookeeper" "$node/0")"
[[ $(zk_value "$zookeeper" "$node/1") == 9223372036854775807 ]] || fail "partition 1"
zk "$zookeeper" getAcl "$node/0" | grep -q "'world,'anyone" || fail "the node is not open to everybody"
probe 0 publish zookeeper "$zookeeper" "g-$run" "$topic:0:42"
probe 0 read zookeeper "$zookeeper" "g-$run" "$topic:0" "$topic:1" "$topic:2"
[[ $(< out) == "$topic:0:42 $topic:1:9223372036854775807" ]] || fail "read back: $(cat out)"

# A chroot that is not there, several levels of it; what is below it is not above it.
probe 0 publish zookeeper "$zookeeper/a-$run/b" "g-$run" "$topic:0:7"
[[ $(zk_value "$zookeeper" "/a-$run/b$node/0") == 7 ]] || fail "chroot"
[[ $(zk_value "$zookeeper/a-$run/b" "$node/0") == 7 ]] || fail "chroot as its client sees it"
probe 0 read zookeeper "$zookeeper/a-$run/b" "g-$run" "$topic:0"; answers "$topic:0:7"
probe 0 read zookeeper "$zookeeper" "g-$run" "$topic:0"; answers "$topic:0:42"

# As others write it.
zk "$zookeeper" set "$node/0" $' 29\n' > zk.out
probe 0 read zookeeper "$zookeeper" "g-$run" "$topic:0"; answers "$topic:0:29"
zk "$zookeeper" set "$node/0" '29 records' > zk.out
probe 65 read zookeeper "$zookeeper" "g-$run" "$topic:0"; answers "node $node/0"; answers "'29 records'"
probe 0 publish zookeeper "$zookeeper" "g-$run" "$topic:0:30"
probe 0 read zookeeper "$zookeeper" "g-$run" "$topic:0"; answers "$topic:0:30"

# A node that only its owner may write, and one that only he may add to.
zk "$zookeeper" setAcl "$node/0" world:anyone:r > zk.out
probe 77 publish zookeeper "$zookeeper" "g-$run" "$topic:0:31"; answers "node $node/0"
zk "$zookeeper" setAcl "$node" world:anyone:r > zk.out
probe 77 publish zookeeper "$zookeeper" "g-$run" "$topic:7:31"; answers "node $node/7"

# --- a ZooKeeper that goes away and comes back, under one and the same connection
own=$(cd / && "$zookeeper_script" start --dir "$work/zookeeper")
own=${own#zookeeper }
trap '"$zookeeper_script" stop --dir "$work/zookeeper"; cleanup' EXIT
pid() { cat "$work/zookeeper/node-1/pid"; }
mkfifo say
"$KSTREAM_TOOLS/offsets_probe" publish zookeeper "$own/k" "g-$run" "$topic:0:1" - < say > said 2> took &
children+=("$!")
exec 5> say
asked=1
# ask OFFSET: publishes it; `answer` is what the probe says, `ms` how long that took if it failed.
await_answer() {
  for _ in $(seq 200); do
    (($(wc -l < said) < asked)) || { answer=$(sed -n "${asked}p" said); ms=$(sed -n '$s/took \(.*\) ms/\1/p' took); return; }
    sleep 0.1
  done
  fail "no answer to request $asked"
}
ask() { echo "$topic:0:$1" >&5; asked=$((asked + 1)); await_answer; }
publish_at_last() { for _ in $(seq 20); do ask "$1"; [[ $answer != published ]] || break; done; }
# is_away MILLISECONDS WHEN: that was a transient error, within this time.
is_away() {
  if [[ $answer != "error 69 transient: "* ]] || ((ms > $1)); then fail "$2: $answer, $ms ms"; fi
}
await_answer
[[ $answer == published ]] || fail "$answer"

zk "$own" deleteall /k > zk.out
ask 2; [[ $answer == published ]] || fail "after the nodes were deleted: $answer"
[[ $(zk_value "$own" "/k$node/0") == 2 ]] || fail "not made anew"

# Nodes that are there need nobody's leave to add them.
zk "$own" setAcl / world:anyone:r > zk.out
probe 0 publish zookeeper "$own/k" "other-$run" "$topic:0:5"
probe 77 publish zookeeper "$own/new" "g-$run" "$topic:0:5"; answers "node /new"

kill -KILL "$(pid)"
ask 3; is_away 5500 "server gone"
ask 4; is_away 1000 "server still gone"
"$zookeeper_script" start --dir "$work/zookeeper" > zk.out 5>&-
publish_at_last 5
[[ $answer == published && $(zk_value "$own" "/k$node/0") == 5 ]] || fail "server back: $answer"

# Restarted between two calls: nothing is to be seen of it.
kill -KILL "$(pid)"
"$zookeeper_script" start --dir "$work/zookeeper" > zk.out 5>&-
ask 6; [[ $answer == published ]] || fail "restarted: $answer"

# A session that has expired, as the client slept for longer than its 6 s.
kill -STOP "${children[-1]}"
sleep 8
kill -CONT "${children[-1]}"
ask 7; [[ $answer == published ]] || fail "session expired: $answer"
[[ $(zk_value "$own" "/k$node/0") == 7 ]] || fail "session expired: the value"

# A server that lost its data, and does not take back a client that knows better.
kill -KILL "$(pid)"
rm -r "$work/zookeeper/node-1/data"
"$zookeeper_script" start --dir "$work/zookeeper" > zk.out 5>&-
publish_at_last 7
[[ $answer == published && $(zk_value "$own" "/k$node/0") == 7 ]] || fail "data lost: $answer"

# A server that is silent, and speaks again.
kill -STOP "$(pid)"
stands_still() { grep -q '^State:.T' "/proc/$(pid)/status"; }
wait_for 5 stands_still || fail "the server does not stop"
ask 8; is_away 7000 "silent"
ask 9; is_away 1000 "still silent"
kill -CONT "$(pid)"
publish_at_last 10
[[ $answer == published && $(zk_value "$own" "/k$node/0") == 10 ]] || fail "speaks again: $answer"
exec 5>&-
wait "${children[-1]}" || fail "the probe ended with $?"
[[ $(grep -cv '^took ' took) == 0 ]] || fail "the client writes to standard error: $(cat took)"

#!/usr/bin/env bash
# label: kafka
# Receiver mode, with and without its log: exact counts, committed positions, where it starts, what it
# refuses, and how it ends.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work"
needs_kafka

# send TOPIC PREFIX COUNT: each partition gets some.
send() {
  seq -f "$2%g" "$3" | "$KSTREAM" produce -b "$brokers" -t "$1" -X sticky.partitioning.linger.ms=0 2> produce.err
}
receive=(wordcount --mode receiver -b "$brokers" -X session.timeout.ms=6000 --format json)
# receives CODE GROUP TOPIC ARGUMENT...: a run with an end.
receives() { exits "$1" "${receive[@]}" -g "$2" -t "$3" --from earliest -e "${@:4}"; }
# gets COUNT WHAT: so many records were counted by the last run.
gets() { [[ $(counted out) == "$1" ]] || { cat err >&2; fail "$2: $(counted out) of $1"; }; }
# daemon ARGUMENT...: one without an end, in the background.
daemon() { launch "$KSTREAM" "${receive[@]}" -i 200ms "$@" > out; }
receives_here() { grep -q 'received here:' err; }
sees() { [[ $(counted out) == "$1" ]]; }

# --- counts, and the number that is committed
topic=receiver-$run
make_topic "$topic" 4
lines 11 100000 > feed
text_sums < feed > want
"$KSTREAM" produce -b "$brokers" -t "$topic" < feed 2> produce.err
logs=('' '--state-dir state-b --no-wal' '--state-dir state-a')
for number in 0 1 2; do
  log=${logs[number]} group=g$number-$run
  # shellcheck disable=SC2086  # words
  receives 0 "$group" "$topic" --format tsv $log
  tsv_sums < out > got
  same "counts with '$log'" want got
  is_at_end "$group" "$topic" 4 || fail "with '$log' committed: $(group_at "$group" "$topic" 4)"
  ((number == 2)) || says 'no write-ahead log'
  # shellcheck disable=SC2086
  receives 0 "$group" "$topic" $log
  gets 0 "again with '$log'"
done
# Kafka's own tool says the same.
java -Xmx128m -XX:TieredStopAtLevel=1 -cp "$KSTREAM_TEST_CLASSPATH" \
  org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --bootstrap-server "$brokers" --describe \
  --group "$group" > tool.out 2> tool.err
[[ $(awk -v t="$topic" '$2 == t && $4 == $5 && $6 == 0' tool.out | wc -l) == 4 ]] || fail "a lag: $(< tool.out)"

# --- several topics are one stream; threads are members
second=second-$run
make_topic "$second" 3
send "$second" x 3000
receives 0 "both-$run" "$topic,$second" --state-dir state-both; gets 103000 "two topics"
is_at_end "both-$run" "$second" 3 || fail "two topics: the second one's position"
receives 0 "threads-$run" "$topic=3" -t "$second" --format tsv --state-dir state-threads
{ cat feed; seq -f 'x%g' 3000; } | text_sums > want.both
tsv_sums < out > got
same "three members and two topics" want.both got
is_at_end "threads-$run" "$topic" 4 || fail "three members: $(group_at "threads-$run" "$topic" 4)"
daemon -g "shared-$run" -t "$topic=3" --from earliest --state-dir state-shared
is_shared() { [[ $(grep -oE 'here: [0-9]+' err | tail -n 3 | LC_ALL=C sort | xargs) == 'here: 1 here: 1 here: 2' ]]; }
wait_for 20 is_shared || { cat err >&2; fail "not three members"; }
wait_for 20 sees 100000 || { cat err >&2; fail "three members counted $(counted out)"; }
ends 0 "three members"
is_at_end "shared-$run" "$topic" 4 || fail "three members: $(group_at "shared-$run" "$topic" 4)"
receives 0 "threads2-$run" "$topic=3,$second=2"; gets 103000 "three and two members, no log"
receives 0 "regex-$run" "^(receiver|second)-$run\$"; gets 103000 "a pattern"

# --- what is refused
refused() { exits 64 "${receive[@]}" -t "$topic" "${@:2}"; says "$1"; }
refused '--topic NAME=THREADS: only with --mode receiver' -t "$topic=3" --mode direct
refused '--wal and --no-wal: only with --mode receiver' --no-wal --mode direct
refused '--max-rate: only with --mode receiver' --max-rate 5 --mode direct
for other in "--range $topic:0:0:1" '--once' '--max-rate-per-partition 5' '--until @2030-01-01T00:00Z' \
  "--from $topic:0:1"; do
  # shellcheck disable=SC2086
  refused "only with --mode direct" $other
done
refused 'give one with --state-dir DIR' --wal
refused 'leave it out' -X partition.assignment.strategy=cooperative-sticky
refused 'kstream keeps the position itself' -X enable.auto.commit=true
refused "at least 16MiB" --state-dir state-a --wal-max 1MiB
refused '1' -t "$topic=0"
refused 'embedded' --brokers embedded --state-dir state-a

# --- whose state it is
daemon -g "held-$run" -t "$topic" --state-dir state-held
wait_for 20 receives_here || { cat err >&2; fail "it does not receive"; }
status=0
"$KSTREAM" "${receive[@]}" -g "held-$run" -t "$topic" -e --state-dir state-held > out2 2> err2 || status=$?
[[ $status == 75 ]] || { cat err2 >&2; fail "a second process on a state directory: $status"; }
ends 0 "the holder of the directory"
exits 0 wordcount -b "$brokers" -t "$topic" --from earliest -e --format json --state-dir state-direct
receives 78 "any-$run" "$topic" --state-dir state-direct; says 'source direct there, receiver here'
exits 78 wordcount -b "$brokers" -t "$topic" -e --state-dir state-a; says 'source receiver there, direct here'
receives 78 "other-$run" "$topic" --state-dir state-a; says 'group '
receives 78 "g2-$run" "$topic" --state-dir state-a --no-wal; says 'receiver without log here'
receives 78 "g2-$run" "$second" --state-dir state-a; says 'topics '

# --- where it starts: at the committed offset, else where --from says
end=$(log_ends "$second" 1)
for from in earliest latest; do
  group=start-$from-$run
  "$KSTREAM_TOOLS/offsets_probe" publish kafka "$brokers" "$group" "$second:0:7" > /dev/null
  exits 0 "${receive[@]}" -g "$group" -t "$second" --from "$from" -e --state-dir "state-$from"
  if [[ $from == latest ]]; then gets $((${end##*:} - 7)) "from latest"; else gets $((3000 - 7)) "from earliest"; fi
  is_at_end "$group" "$second" 3 || fail "from $from: $(group_at "$group" "$second" 3)"
done
send "$second" y 30
for from in earliest latest; do
  exits 0 "${receive[@]}" -g "start-$from-$run" -t "$second" --from "$from" -e --state-dir "state-$from"
  gets 30 "from $from, again"
  [[ $(head -c 11 out) == '{"batch":2,' ]] || fail "from $from: the second run's batch: $(head -c 80 out)"
done
exits 0 "${receive[@]}" -g "start-new-$run" -t "$second" -e
gets 0 "a new group, from latest"

# --- transactions: control records and what was aborted are passed over, and committed over
transactional=transactions-$run
make_topic "$transactional" 1
"$KSTREAM_TOOLS/transactions" "$brokers" "$transactional" "id-$run" commit:a,a,b abort:x,x,x commit:b abort:x,x
for log in '' '--state-dir state-tx'; do
  # shellcheck disable=SC2086
  receives 0 "tx${log:+-log}-$run" "$transactional" --format tsv $log
  tsv_sums < out > got
  printf 'a\t2\nb\t2\n' > want.tx
  same "transactions with '$log'" want.tx got
  is_at_end "tx${log:+-log}-$run" "$transactional" 1 || fail "transactions: $(group_at "tx${log:+-log}-$run" "$transactional" 1)"
done
daemon -g "tx-live-$run" -t "$transactional" --state-dir state-tx-live
wait_for 20 receives_here || fail "it does not receive"
"$KSTREAM_TOOLS/transactions" "$brokers" "$transactional" "id-$run" abort:x,x,x
wait_for 20 is_at_end "tx-live-$run" "$transactional" 1 || fail "an aborted transaction leaves a lag"
[[ $(counted out) == 0 ]] || fail "aborted records were counted"
ends 0 "transactions"

# --- a topic, and partitions, that come later
later=later-$run
daemon -g "later-$run" -t "$later" -t "$second" --state-dir state-later --discover 1s
wait_for 20 grep -qF 'Waiting for it' err || { cat err >&2; fail "it does not wait for the topic"; }
make_topic "$later" 1
send "$later" a 40
wait_for 30 sees 40 || { cat err >&2; fail "a topic made later: $(counted out) of 40"; }
grow_topic "$later" 3
wait_for 30 grep -qF 'received here: 6 partitions' err || { cat err >&2; fail "new partitions are not received"; }
send "$later" b 60
wait_for 60 sees 100 || { cat err >&2; fail "partitions made later: $(counted out) of 100"; }

# --- SIGTERM: exit 0, all that was received is committed, and nothing is repeated
ends 0 "a topic made later"
cp out out.first
wait_for 5 is_at_end "later-$run" "$later" 3 || fail "committed at the end: $(group_at "later-$run" "$later" 3)"
send "$later" c 10
receives 0 "later-$run" "$later,$second" --state-dir state-later
[[ $(counted out.first out) == 110 ]] || fail "over a restart: $(counted out.first out) of 110"
for log in '' '--state-dir state-term'; do
  # Load while it is told to stop.
  loaded=loaded${log:+-log}-$run
  make_topic "$loaded" 2
  head -n 60000 feed | "$KSTREAM" produce -b "$brokers" -t "$loaded" --rate 2500 2> produce.err &
  producer=$!
  children+=("$producer")
  : > all
  for _ in 1 2 3; do
    # shellcheck disable=SC2086
    daemon -g "loaded-$run" -t "$loaded" --from earliest $log
    wait_for 20 grep -q '"batch"' out || { cat err >&2; fail "nothing was counted"; }
    ends 0 "under load"
    cat out >> all
  done
  wait "$producer" || fail "produce ended with $?"
  # shellcheck disable=SC2086
  receives 0 "loaded-$run" "$loaded" $log
  cat out >> all
  python3 -c 'import collections, json
sums = collections.Counter()
for line in open("all"):
    for word, count in json.loads(line)["counts"]: sums[word] += count
for word, count in sums.items(): print(word, count, sep="\t")' | LC_ALL=C sort > got
  head -n 60000 feed | text_sums > want.loaded
  same "three stops under load with '$log'" want.loaded got
  is_at_end "loaded-$run" "$loaded" 2 || fail "after three stops: $(group_at "loaded-$run" "$loaded" 2)"
done

# --- the embedded broker
head -n 20000 feed > feed.small
text_sums < feed.small > want.small
exits 0 wordcount --mode receiver --brokers embedded -t test --from earliest --feed feed.small -e --format tsv
tsv_sums < out > got
same "embedded broker" want.small got

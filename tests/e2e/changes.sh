#!/usr/bin/env bash
# label: kafka
# What changes under a stream: records deleted, topics deleted and made anew, partitions added,
# retention; and where a stream begins.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work"
needs_kafka

send() { seq -f "$2%g" "$3" | "$KSTREAM" produce -b "$brokers" -t "$1" 2> produce.err; }  # TOPIC PREFIX COUNT
# The number of records that a bounded run of this topic and state counts.
records() { python3 -c 'import json, sys; print(sum(json.loads(l)["records"] for l in open("out")))'; }
count() { exits "$1" wordcount -b "$brokers" -t "$2" --from earliest -e --format json --state-dir "state-$2" "${@:3}"; }
delete_records() {  # TOPIC OFFSET
  echo "{\"version\":1,\"partitions\":[{\"topic\":\"$1\",\"partition\":0,\"offset\":$2}]}" > delete.json
  kafka_tool DeleteRecordsCommand --offset-json-file delete.json
}

# Records deleted before they were read.
topic=deleted-$run
make_topic "$topic" 1
send "$topic" a 100
count 0 "$topic"
[[ $(records) == 100 ]] || fail "deleted: $(records) of 100"
send "$topic" b 100
delete_records "$topic" 150
count 65 "$topic"; says "offsets 100 to 149 are gone (the log has 150 to 200)"; says "--on-data-loss skip"
[[ ! -s out ]] || fail "something was printed: $(cat out)"
count 0 "$topic" --on-data-loss skip; says "50 records were lost"
[[ $(records) == 50 ]] || fail "after the loss: $(records) of 50"

# The same while the stream runs; and records that go while a batch is in hand.
send "$topic" c 10
count 0 "$topic"
topic=retention-$run
make_topic "$topic" 1 segment.ms=500 retention.ms=1000
send "$topic" a 10
count 0 "$topic"
send "$topic" b 10
gone() { kcat -Q -b "$brokers" -t "$topic:0:-2" 2> err | grep -q '\[0\] offset 20$'; }
wait_for 60 gone || fail "retention did not come"
count 65 "$topic"; says "offsets 10 to 19 are gone (the log has 20 to 20)"

# A topic made anew, with fewer records than were read.
topic=anew-$run
make_topic "$topic" 1
send "$topic" a 100
count 0 "$topic"
delete_topic "$topic"
sleep 1
make_topic "$topic" 1
send "$topic" b 30
count 65 "$topic"; says "the position is 100, but the log has 0 to 30"
count 0 "$topic" --on-data-loss skip
[[ $(records) == 30 ]] || fail "made anew: $(records) of 30"

# A topic that is deleted under a running stream.
topic=gone-$run
make_topic "$topic" 2
send "$topic" a 100
launch "$KSTREAM" wordcount -b "$brokers" -t "$topic" --from earliest -i 200ms --format json > out
wait_for 20 grep -q '"records":' out || fail "nothing was counted"
delete_topic "$topic"
status=0
wait "$daemon" || status=$?
[[ $status == 65 ]] || { cat err >&2; fail "deleted under it: exit $status"; }
says "$topic:0 and 1 more partitions: is not in the cluster any more"

# Partitions that are added are read from their beginning, also with --from latest.
topic=grows-$run
make_topic "$topic" 1
send "$topic" old 50
launch "$KSTREAM" wordcount -b "$brokers" -t "$topic" -i 200ms --discover 500ms --format json \
  --state-dir "state-$topic" > out
wait_for 20 test -s "state-$topic/IDENTITY" || fail "it did not start"
grow_topic "$topic" 3
wait_for 20 grep -qF "$topic:2: is new" err || fail "the new partitions were not found"
send "$topic" new 90
sees() { [[ $(records) == "$1" ]]; }
wait_for 20 sees 90 || { cat err >&2; fail "after partitions were added: $(records) of 90"; }
ends 0 "after partitions were added"
[[ $("$KSTREAM" offsets show --state-dir "state-$topic" | wc -l) == 3 ]] || fail "not three positions"
# Also those that appeared while nobody looked, by a run with an end.
grow_topic "$topic" 5
send "$topic" more 50
count 0 "$topic"; says "$topic:4: is new"
[[ $(records) == 50 ]] || fail "partitions added between two runs: $(records) of 50"
[[ $("$KSTREAM" offsets show --state-dir "state-$topic" | wc -l) == 5 ]] || fail "not five positions"

# A topic that comes into being while a stream waits for it has no past.
topic=later-$run
launch "$KSTREAM" wordcount -b "$brokers" -t "$topic" -i 200ms --format json > out
wait_for 20 grep -qF 'Waiting for it' err || fail "it did not wait"
make_topic "$topic" 1
send "$topic" a 40
wait_for 20 sees 40 || { cat err >&2; fail "a topic made later: $(records) of 40"; }
ends 0 "a topic made later"

# Places in time.
topic=times-$run
make_topic "$topic" 2
send "$topic" early 30
sleep 2
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
send "$topic" late 20
at() { exits 0 wordcount -b "$brokers" -t "$topic" -e --once --format json "$@"; records; }
[[ $(at --from "@$now") == 20 ]] || fail "from a time: $(records)"
[[ $(at --from earliest --until "@$now") == 30 ]] || fail "until a time: $(records)"
[[ $(at --from @-1h) == 50 ]] || fail "from an hour ago: $(records)"
[[ $(at --from @2100-01-01T00:00Z) == 0 ]] || fail "from a time to come: $(records)"

# Rates: batches of the size that was asked for.
exits 0 wordcount -b "$brokers" -t "$topic" --from earliest -e --format json -i 100ms --max-rate-per-partition 100
[[ $(records) == 50 && $(wc -l < out) -ge 3 ]] || fail "limited: $(records) in $(wc -l < out) batches"

# The state of another stream, and a directory that is none.
exits 78 wordcount -b "$brokers" -t "$topic" -e --state-dir "state-grows-$run"; says "topics grows-$run there, $topic here"
mkdir -m 700 full && touch full/something
exits 78 wordcount -b "$brokers" -t "$topic" -e --state-dir full; says "holds 'something'"
cp -r "state-grows-$run" damaged
sed -i 's/"generation":/"generation" :/' damaged/checkpoint
exits 65 state verify damaged; says "does not fit"
exits 65 wordcount -b "$brokers" -t "grows-$run" --state-dir damaged; says "nothing was changed"
exits 66 state show nowhere; says "holds no state"

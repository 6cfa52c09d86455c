#!/usr/bin/env bash
# label: kafka
# A receiver is killed under load, its state made a direct stream's, and, when that has gone on, a
# receiver's again: what comes out is exact, each record once, ids without a gap.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$work"
needs_kafka

topic=convert-$run group=convert-$run
make_topic "$topic" 3
# Fast: a batch must not fit into a pipe. Each life has records of its own, however slow the machine.
lines 11 600000 > feed
text_sums < feed > want
split -d -a 1 -n l/3 feed piece.
receive=("$KSTREAM" wordcount --mode receiver -b "$brokers" -g "$group" -t "$topic" --from earliest
  --interval 200ms --format json --state-dir state -X session.timeout.ms=6000)
direct=("$KSTREAM" wordcount -b "$brokers" -t "$topic" --interval 200ms --format json
  --state-dir state --discover 1h)

# stuck_life NAME COMMAND...: runs it until nobody takes its fifth batch, which it has in hand then.
outputs=()
producers=()
stuck_life() {
  "$KSTREAM" produce -b "$brokers" -t "$topic" --rate 20000 < "piece.${#producers[@]}" 2> "produce.$1" &
  producers+=("$!")
  children+=("$!")
  mkfifo "pipe.$1"
  : > "out.$1"
  { head -n 4 > "out.$1"; exec sleep 60; } < "pipe.$1" > /dev/null 2>&1 &
  children+=("$!")
  "${@:2}" > "pipe.$1" 2> "err.$1" &
  daemon=$!
  children+=("$daemon")
  outputs+=("out.$1")
  four() { (($(wc -l < "out.$1") == 4)); }
  wait_for 90 four "$1" || { cat "err.$1" >&2; fail "life $1 counts nothing"; }
  sleep 1
}
die() {
  kill -KILL "$daemon" || fail "a life ended before it was killed"
  wait "$daemon" 2> /dev/null || true
}

stuck_life received "${receive[@]}"
exits 75 state convert -b "$brokers" state; says "is in use"
die
exits 64 state convert state; says "--brokers"
exits 78 state convert -b "$brokers" -g other state; says "group"
exits 0 state show state
grep -q '^batch 5 at .* in hand:' out || fail "the receiver has no batch in hand"
exits 0 offsets show --state-dir state
awk '{print $3}' out > log_ends
exits 0 state convert -b "$brokers" state; says "direct stream now"
[[ ! -e state/wal ]] || fail "the log is still there"
exits 0 state verify state
grep -q 'batch 4 committed, 3 partitions, batch 5 intended' out || fail "convert: $(< out)"
exits 78 wordcount --mode receiver -b "$brokers" -g "$group" -t "$topic" --state-dir state
exits 0 offsets show --state-dir state
paste -d ' ' <(awk '{print $3}' out) log_ends | awk '$1 > $2 {exit 1}' || fail "it goes on beyond its log"

stuck_life direct "${direct[@]}"
die
exits 65 state convert -b "$brokers" -g "$group" state; says "Run it once more with --mode direct"
"${direct[@]}" --exit > out.rest 2> err.rest || { cat err.rest >&2; fail "the rest ended with $?"; }
outputs+=(out.rest)
exits 0 state convert -b "$brokers" -g "$group" state
says "receiver --group $group"
[[ ! -e state/checkpoint ]] || fail "the checkpoint is still there"
exits 0 state verify state

stuck_life again "${receive[@]}"
die

# Of a copy whose log is damaged a new log is made; the damaged one is kept.
cp -a state broken
exits 0 state repair broken; says "nothing to repair"
exits 0 state show --frames broken
# The first block of the batch in hand.
waiting=$(awk '/^segment / {blocks += $5} END {print blocks}' out)
read -r segment at _ < <(grep ' RECORDS ' out | tail -n "$waiting")
printf '\377\376' | dd of="broken/wal/$segment" bs=1 seek=$((at + 60)) conv=notrunc status=none
exits 65 state verify broken; says "payload"
exits 65 state convert -b "$brokers" broken
exits 0 state repair broken; says "damaged: $segment: bytes $at to"; says "are not in the log any more"
[[ $(ls -d broken/wal*) == broken/wal$'\n'broken/wal.broken-*Z ]] || fail "$(ls broken)"
exits 0 state verify broken
grep -q 'batch .* in hand, 3 partitions' out || fail "repair: $(< out)"

for producer in "${producers[@]}"; do
  wait "$producer" || { cat produce.* >&2; fail "produce ended with $?"; }
done
"${receive[@]}" --exit > out.last 2> err.last || { cat err.last >&2; fail "the last life ended with $?"; }
outputs+=(out.last)
grep -hE 'error|twice' err.received err.direct err.again err.last >&2 && fail "a life is not content"

# A direct stream names every partition of its topics, a receiver those that it has.
python3 - "${outputs[@]}" << 'END'
import json, sys
for name in sys.argv[1:]:
    lines = [line for line in open(name, encoding="utf-8") if line.endswith("\n")]
    with open(name, "w", encoding="utf-8") as file:
        for batch in map(json.loads, lines):
            batch["ranges"] = [r for r in batch["ranges"] if r[2] < r[3]]
            print(json.dumps(batch), file=file)
END
log_ends "$topic" 3 > ends
: > nothing
python3 "$here/coverage.py" ends nothing "$(IFS=, && echo "${outputs[*]}")" 2> batches | LC_ALL=C sort > got \
  || { cat batches >&2; fail "batches"; }
same "the counts" want got
[[ $(awk -F : '{sum += $3} END {print sum}' ends) == $(wc -l < feed) ]] || fail "the topic: $(< ends)"
is_at_end "$group" "$topic" 3 || fail "committed: $(group_at "$group" "$topic" 3 | xargs) of $(xargs < ends)"
read -r number repeated _ < batches
echo "$number batches, $repeated of them printed again, by ${#outputs[@]} lives"

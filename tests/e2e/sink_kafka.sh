#!/usr/bin/env bash
# label: kafka
# A topic as output: each batch is there whole and once, as Kafka's own consumer sees it, over kill -9
# in both modes; what cannot be written, and two processes that write one stream.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$work"
needs_kafka
kills=${KSTREAM_TEST_OUTPUT_KILLS:-10}
RANDOM=${KSTREAM_TEST_SEED:-5}
in=sink-in-$run
out=sink-out-$run

# What is refused.
make_topic "$in" 4
exits 64 wordcount -b "$brokers" -t "$in" --output "kafka:$in"
says 'its counts would be counted'
exits 64 wordcount -b "$brokers" -t "$in,^sink-o" --output "kafka:$out"
says '(--topic ^sink-o)'
exits 64 wordcount -b "$brokers" -t "$in" --output 'kafka:^a'
exits 64 wordcount -b "$brokers" -t "$in" --output "kafka:$out" -X transactional.id=x
says '--name'

# A topic that is not there is not made.
for _ in 1 2; do
  exits 66 wordcount -b "$brokers" -t "$in" --from earliest -e --output "kafka:$out" --startup-timeout 2s
  says "topic '$out': does not exist"
done

# The stream's own group and the one that is named have the positions of the transaction.
printf 'a b a\n\nc  d\n' | "$KSTREAM" produce -b "$brokers" -t "$in" 2> produce.err
make_topic "$out" 3
exits 0 wordcount -b "$brokers" -t "$in" --from earliest -e --output "kafka:$out" --name first \
  -g "group-$run"
consume "$out" | sed -E 's/time:[^\t]*Z/time:T/' | LC_ALL=C sort > got
printf 'batch:1,time:T\t%s\t%s\n' '' 2 a 2 b 1 c 1 d 1 > want
same "a batch in the topic" want got
at=$(group_at "group-$run" "$in" 4)
[[ $(awk -F : '{sum += $3} END {print sum}' <<< "$at") == 3 && $at == "$(group_at "kstream:first:$out" "$in" 4)" ]] \
  || fail "positions: $at"
exits 0 wordcount -b "$brokers" -t "$in" --from committed -e --output "kafka:$out" --name second \
  -g "group-$run" --format json
[[ ! -s out ]] || fail "the group's positions were not used: $(< out)"
# Positions that a transaction is about to change are not taken for what the topic holds.
hold "$in" "kstream:first:$out"
exits 69 wordcount -b "$brokers" -t "$in" --from earliest -e --output "kafka:$out" --name first --startup-timeout 12s
says "has not ended at the positions of group 'kstream:first:$out'"
release
# The name holds batch 1 of another plan.
exits 65 wordcount -b "$brokers" -t "$in" --from earliest -e --output "kafka:$out" --name first
says 'with other ranges'

# Records that the topic does not take.
small=sink-small-$run
make_topic "$small" 1 max.message.bytes=20000
exits 65 wordcount -b "$brokers" -t "$in" --from earliest -e --output "kafka:$small" --name "$(
  head -c 30000 /dev/zero | tr '\0' x | "$KSTREAM" produce -b "$brokers" -t "$in" 2> produce.err
  echo long)"
says 'max.message.bytes'
[[ -z $(kcat -C -b "$brokers" -t "$small" -o beginning -e -q 2> kcat.err) ]] || fail "part of a batch is there"

# kills_of MODE ARGUMENT...: kills, and what came of it.
kills_of() {
  local mode=$1 topic=kills-$1-$run results=kills-out-$1-$run
  shift
  make_topic "$topic" 4
  make_topic "$results" 4
  lines 7 $((kills * 18000)) > feed
  text_sums < feed > want
  local count=("$KSTREAM" wordcount --mode "$mode" -b "$brokers" -t "$topic" --from earliest --interval 100ms
    --format json --output stdout --output "kafka:$results" --state-dir "state.$mode" "$@")
  killed_lives "$kills" "$topic" lines_out "${count[@]}"
  consume "$results" > consumed
  python3 "$here/topic_batches.py" consumed "${lives[@]}" 2> batches | LC_ALL=C sort > got \
    || { cat batches >&2; fail "$mode: batches"; }
  same "$mode: the counts of $kills lives" want got
  is_at_end "kstream:$topic:$results" "$topic" 4 || fail "$mode: the group of the output is not at the end"
  ends=$(kcat -Q -b "$brokers" -t "$results:0:-1" -t "$results:1:-1" -t "$results:2:-1" -t "$results:3:-1" \
    2> kcat.err | awk '{sum += $NF} END {print sum}')
  echo "$mode: $kills kills, $(< batches) batches, $(wc -l < consumed) of $ends offsets are committed records"
  (($(< batches) > kills / 4)) || fail "only $(< batches) batches in $kills lives: that shows nothing"
}
kills_of direct -g "kills-direct-$run"
is_at_end "kills-direct-$run" "kills-direct-$run" 4 || fail "the named group is not at the end"
kills_of receiver -g "kills-receiver-$run" -X session.timeout.ms=6000

# Two processes of one stream: the earlier one can write no more, and nothing is there twice.
topic=two-$run
results=two-out-$run
make_topic "$topic" 1
make_topic "$results" 1
two=("$KSTREAM" wordcount -b "$brokers" -t "$topic" --from earliest --interval 100ms --format json
  --output stdout --output "kafka:$results")
echo one | "$KSTREAM" produce -b "$brokers" -t "$topic" 2> produce.err
"${two[@]}" --state-dir earlier > out.earlier 2> err.earlier &
earlier=$!
children+=("$earlier")
wait_for 20 is_at_end "kstream:$topic:$results" "$topic" 1 || { cat err.earlier >&2; fail "it writes nothing"; }
is_complete() { "$KSTREAM" offsets show --state-dir earlier 2> show.err | grep -q ' 1$'; }
wait_for 20 is_complete || fail "the state: $("$KSTREAM" offsets show --state-dir earlier)"
cp -r earlier later
"${two[@]}" --state-dir later > out.later 2> err.later &
later=$!
children+=("$later")
# It has become the writer when it has read what the group holds.
sleep 3
echo two | "$KSTREAM" produce -b "$brokers" -t "$topic" 2> produce.err
status=0
wait "$earlier" || status=$?
[[ $status == 75 ]] || { cat err.earlier >&2; fail "the earlier process ended with $status, wanted 75"; }
grep -qF 'another process has it now' err.earlier || { cat err.earlier >&2; fail "it does not say why"; }
wait_for 20 is_at_end "kstream:$topic:$results" "$topic" 1 || { cat err.later >&2; fail "the later one does not go on"; }
kill -TERM "$later"
wait "$later" || { cat err.later >&2; fail "the later process ended with $?"; }
consume "$results" | cut -f 2- > got
printf '%s\t1\n' one two > want
same "the topic of two processes" want got

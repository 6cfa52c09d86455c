#!/usr/bin/env bash
# label: kafka
# kill -9 at random moments while a receiver is under load: what comes out is exact, each record once.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$work"
needs_kafka
kills=${KSTREAM_TEST_KILLS:-15}
RANDOM=${KSTREAM_TEST_SEED:-7}

topic=receiver-crash-$run
make_topic "$topic" 4
lines 7 $((kills * 24000)) > feed
text_sums < feed > want
receive=("$KSTREAM" wordcount --mode receiver -b "$brokers" -g "crash-$run" -t "$topic=2" --from earliest
  --interval 100ms --format json --state-dir state -X session.timeout.ms=6000)

"$KSTREAM" produce -b "$brokers" -t "$topic" --rate 30000 < feed 2> produce.err &
producer=$!
children+=("$producer")
outputs=()
for ((life = 1; life <= kills; life++)); do
  "${receive[@]}" > "out.$life" 2> "err.$life" &
  daemon=$!
  children+=("$daemon")
  outputs+=("out.$life")
  sleep "0.$((RANDOM % 60 + 25))"
  # Every third life is let come to its records first, if there are any left.
  counts_or_done() { grep -qs '"batch"' "out.$life" || ! kill -0 "$producer" 2> /dev/null; }
  ((life % 3)) || wait_for 20 counts_or_done || { cat "err.$life" >&2; fail "life $life counts nothing"; }
  kill -KILL "$daemon" || { cat "err.$life" >&2; fail "life $life ended before it was killed"; }
  wait "$daemon" 2> /dev/null || true
done
wait "$producer" || { cat produce.err >&2; fail "produce ended with $?"; }
"${receive[@]}" --exit > out.last 2> err.last || { cat err.last >&2; fail "the last life ended with $?"; }
outputs+=(out.last)
grep -hE 'error|twice' err.* >&2 && fail "a life did not end by its kill, or says that records came twice"

log_ends "$topic" 4 > ends
: > nothing
python3 "$here/coverage.py" ends nothing "$(IFS=, && echo "${outputs[*]}")" 2> batches | LC_ALL=C sort > got \
  || { cat batches >&2; fail "batches"; }
same "the counts of $kills lives" want got
is_at_end "crash-$run" "$topic" 4 || fail "committed: $(group_at "crash-$run" "$topic" 4 | xargs) of $(xargs < ends)"
[[ $(awk -F : '{sum += $3} END {print sum}' ends) == $(wc -l < feed) ]] || fail "the topic: $(< ends)"
read -r number repeated _ < batches
echo "$kills kills, $number batches, $repeated of them printed again"
((number > kills / 3)) || fail "only $number batches in $kills lives: that shows nothing"

#!/usr/bin/env bash
# label: kafka
# kill -9 at random moments while a producer writes: what comes out is exact all the same.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$work"
needs_kafka
kills=${KSTREAM_TEST_KILLS:-100}

topic=crash-$run
make_topic "$topic" 4
lines 7 $((kills * 18000)) > feed
text_sums < feed > want
count=("$KSTREAM" wordcount -b "$brokers" -t "$topic" --from earliest --interval 100ms
  --format json --state-dir state)

"$KSTREAM" produce -b "$brokers" -t "$topic" --rate 30000 < feed 2> produce.err &
producer=$!
children+=("$producer")
outputs=()
for ((life = 1; life <= kills; life++)); do
  "${count[@]}" > "out.$life" 2> "err.$life" &
  daemon=$!
  outputs+=("out.$life")
  sleep "0.$((RANDOM % 60 + 15))"
  kill -KILL "$daemon" || { cat "err.$life" >&2; fail "life $life ended before it was killed"; }
  wait "$daemon" 2> /dev/null || true
done
wait "$producer" || { cat produce.err >&2; fail "produce ended with $?"; }
"${count[@]}" --exit > out.last 2> err.last || { cat err.last >&2; fail "the last life ended with $?"; }
outputs+=(out.last)
grep -hE 'error' err.* >&2 && fail "a life did not end by its kill"

python3 "$here/batches.py" "${outputs[@]}" 2> batches | LC_ALL=C sort > got || { cat batches >&2; fail "batches"; }
same "the counts of $kills lives" want got
read -r number repeated < batches
in_hand=$({ grep -lF 'with the batch that was in hand' err.* || true; } | wc -l)
echo "$kills kills, $number batches, $in_hand read again, $repeated of them printed again"
((number > kills / 2)) || fail "only $number batches in $kills lives: that shows nothing"
"$KSTREAM" state verify state > out
"$KSTREAM" offsets show --state-dir state > out
[[ $(awk '{sum += $3} END {print sum}' out) == $(wc -l < feed) ]] || fail "the positions: $(cat out)"

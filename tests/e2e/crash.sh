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

killed_lives "$kills" "$topic" lines_out "${count[@]}"

python3 "$here/batches.py" "${lives[@]}" 2> batches | LC_ALL=C sort > got || { cat batches >&2; fail "batches"; }
same "the counts of $kills lives" want got
read -r number repeated < batches
in_hand=$({ grep -lF 'with the batch that was in hand' err.* || true; } | wc -l)
echo "$kills kills, $number batches, $in_hand read again, $repeated of them printed again"
((number > kills / 4)) || fail "only $number batches in $kills lives: that shows nothing"
"$KSTREAM" state verify state > out
"$KSTREAM" offsets show --state-dir state > out
[[ $(awk '{sum += $3} END {print sum}' out) == $(wc -l < feed) ]] || fail "the positions: $(cat out)"

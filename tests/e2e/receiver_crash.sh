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

killed_lives "$kills" "$topic" lines_out "${receive[@]}"
grep -h 'twice' err.* >&2 && fail "a life says that records came twice"

log_ends "$topic" 4 > ends
: > nothing
python3 "$here/coverage.py" ends nothing "$(IFS=, && echo "${lives[*]}")" 2> batches | LC_ALL=C sort > got \
  || { cat batches >&2; fail "batches"; }
same "the counts of $kills lives" want got
is_at_end "crash-$run" "$topic" 4 || fail "committed: $(group_at "crash-$run" "$topic" 4 | xargs) of $(xargs < ends)"
[[ $(awk -F : '{sum += $3} END {print sum}' ends) == $(wc -l < feed) ]] || fail "the topic: $(< ends)"
read -r number repeated _ < batches
echo "$kills kills, $number batches, $repeated of them printed again"
((number > kills / 4)) || fail "only $number batches in $kills lives: that shows nothing"

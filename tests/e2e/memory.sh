#!/usr/bin/env bash
# label: kafka
# More distinct words than memory holds, from a real Kafka: the counts are exact, memory is bounded,
# and without room on the disk nothing of the batch is printed.
#
# KSTREAM_TEST_WORDS (default 2,000,000) words are distinct; KSTREAM_TEST_MEMORY (16MiB) is what they
# may take, KSTREAM_TEST_RESIDENT_MB (100) what the process may have.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
needs_kafka
words=${KSTREAM_TEST_WORDS:-2000000} memory=${KSTREAM_TEST_MEMORY:-16MiB}
resident_mb=${KSTREAM_TEST_RESIDENT_MB:-100}
# Not in $work: that may be memory.
scratch=$(mktemp -d /var/tmp/kstream-test-XXXXXX)
trap 'cleanup; rm -rf "$scratch"' EXIT
export TMPDIR=$scratch
cd "$scratch"

# Each word once, of 1 to 40 bytes, in an order that means nothing; every tenth of them again.
awk -v n="$words" 'BEGIN {
  for (i = 0; i < n; i++) {
    word = (i * 7919) % n
    if (i % 3 == 0) word = word "-with-a-tail-that-makes-it-long"
    line = line (line == "" ? "" : " ") word
    if (i % 10 == 0) line = line " " word
    if (i % 8 == 7) { print line; line = "" }
  }
  if (line != "") print line
}' > lines
make_topic "memory-$run" 4
"$KSTREAM" produce -b "$brokers" -t "memory-$run" -q < lines
tr ' ' '\n' < lines | LC_ALL=C sort -S 256M | uniq -c | awk '{print $2 "\t" $1}' > want
rm lines

# resident COMMAND...: runs it and puts its greatest resident size, in MB, into the file resident.
resident() {
  python3 -c '
import os, resource, sys
status = os.waitstatus_to_exitcode(os.waitpid(os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:]), 0)[1])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=open("resident", "w"))
sys.exit(status)' "$@"
}
count=("$KSTREAM" wordcount -b "$brokers" -t "memory-$run" --from earliest -e --once --memory "$memory")

for order in word count; do
  resident "${count[@]}" --format tsv --order "$order" > out 2> err || { cat err >&2; fail "exit $?"; }
  cut -f 2- out > got
  if [[ $order == count ]]; then
    LC_ALL=C sort -S 256M -c -t $'\t' -k 2,2nr -k 1,1 got || fail "not by count, then by word"
    LC_ALL=C sort -S 256M -o got got
    LC_ALL=C sort -S 256M -o want want
  fi
  cmp want got || fail "the counts of $words words, by $order"
  echo "$words words with --memory $memory, by $order: $(cat resident) MB resident"
  (($(cat resident) <= resident_mb)) || fail "more than $resident_mb MB"
done
leftover=$(find "$scratch" -mindepth 1 -name 'kstream-*')
[[ -z $leftover ]] || fail "left behind: $leftover"

# Ten of them: sorting them takes no disk.
"${count[@]}" --top 10 > out 2> err
grep -c '^(' out > got
echo 10 > ten
same "ten words" ten got

# No room: nothing of the batch is printed, and a state directory does not go on.
status=0
"${count[@]}" --spill-max 1MiB --state-dir "$scratch/state" > out 2> err || status=$?
[[ $status == 74 ]] || { cat err >&2; fail "exit $status without room, wanted 74"; }
[[ ! -s out ]] || fail "something was printed"
grep -q -- '--spill-max' err || { cat err >&2; fail "no help"; }
"${count[@]}" --state-dir "$scratch/state" --format json --top 0 > out 2> err || { cat err >&2; fail "exit $?"; }
grep -q "\"distinct\":$words," out || fail "after room was made"

#!/usr/bin/env bash
# label: embedded
# The whole Kafka path on the embedded broker: exact counts, the block as Spark prints it, big feeds.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work"
feed=(wordcount --brokers embedded --topic test --from earliest)

printf 'hello world\nhello\n' | timeout 60 "$KSTREAM" "${feed[@]}" --feed - -e --once 2> err |
  sed 's/^Time: .*/Time:/' > out
rule=-------------------------------------------
printf "%s\nTime:\n%s\n('hello', 2)\n('world', 1)\n\n" "$rule" "$rule" > want
same "the block" want out

# An empty feed is one empty batch.
: > nothing
exits 0 "${feed[@]}" --feed nothing -e --once
[[ $(wc -l < out) == 4 ]] || fail "an empty batch has four lines"

# More than the embedded broker keeps (4 partitions of 5 MiB): held back, and counted whole.
lines 1 1000000 > big
text_sums < big > want
(($(stat -c %s big) > 20971520)) || fail "the feed is too small to show anything"
exits 0 "${feed[@]}" --feed big -e --once --format tsv
tsv_sums < out > got
same "a large file in one batch" want got
timeout 100 "$KSTREAM" "${feed[@]}" --feed - -e --format tsv < <(cat big) 2> err | tsv_sums > got
same "a large pipe in many batches" want got
timeout 100 "$KSTREAM" "${feed[@]}" --feed - -e --once --format tsv < <(cat big) 2> err | tsv_sums > got
same "a large pipe in one batch" want got

# Offsets: each partition, empty ranges included.
exits 0 "${feed[@]}" --feed nothing -e --once --offsets
printf 'test %s 0 0\n' 0 1 2 3 > want
tail -n 4 out > got
same "offset lines" want got

# A word of 1 MiB, an empty message, control characters, invalid UTF-8.
python3 -c 'import sys; sys.stdout.buffer.write(b"x" * 1048576 + b"\n\n\x1b[31m\n\xff\xc3\n")' > odd
exits 0 "${feed[@]}" --feed odd -e --once --format tsv
cut -f 2- out | awk -F '\t' '{print (length($1) > 1000 ? "long" : $1), $2}' | LC_ALL=C sort > got
printf '%s\n' ' 1' '\x1b[31m 1' 'long 1' $'\xef\xbf\xbd\xef\xbf\xbd 1' | LC_ALL=C sort > want
same "odd words" want got
says "1 of 4 records were not valid UTF-8"

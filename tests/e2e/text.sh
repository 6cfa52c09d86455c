#!/usr/bin/env bash
# label: embedded
# Decoders, what becomes of invalid records, and filters, as the command line has them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work"
feed=(wordcount --brokers embedded --topic test --from earliest -e --once --format tsv)

# counts WANT ARGUMENT...: the words and counts of what is fed from `in`.
counts() {
  exits 0 "${feed[@]}" --feed in "${@:2}"
  tsv_sums < out > got
  printf '%b' "$1" | LC_ALL=C sort > want
  same "kstream ${*:2}" want got
}

printf 'caf\xe9 caf\xc3\xa9\nb a\n' > in
counts 'caf\xef\xbf\xbd\t1\ncafé\t1\na\t1\nb\t1\n'
says "1 of 2 records were not valid UTF-8 and were repaired with U+FFFD, 0 had no value"
counts 'a\t1\nb\t1\n' --on-invalid skip
says "1 of 2 records were not valid UTF-8 and have no words, 0 had no value"
counts 'café\t1\ncafÃ©\t1\na\t1\nb\t1\n' --decode latin1

# A record that fails the run: nothing of its batch is written, also when much more is to be read.
printf '\xff\n' > in
lines 1 400000 >> in
exits 65 "${feed[@]}" --feed in --on-invalid fail
[[ ! -s out ]] || fail "a part of a failed batch was written"
says "test:0: the record at offset 0: its value of 1 bytes is not valid UTF-8 at byte 0."
says "--on-invalid skip"
(($(grep -c error: err) == 1)) || fail "more than one error"

printf '%s\n' '{"a/b":{"t":"Hello hello","n":1E2}}' '{"a/b":{"t":["New York"]}}' '{"t":1}' nothing > in
counts 'Hello\t1\nhello\t1\nNew York\t1\n' --decode json:/a~1b/t
says "2 of 4 records were not valid for --decode json:/a~1b/t and have no words"
counts '1E2\t1\n' --decode json:/a~1b/n --on-invalid skip
exits 65 "${feed[@]}" --feed in --decode json:/a~1b/t --on-invalid fail
[[ ! -s out ]] || fail "a part of a failed batch was written"

printf '\xef\xbb\xbfThe\r\n\r\nÜBER' > stop
printf 'the The über Über x é éé ÉÉ\n' > in
counts 'the\t1\nThe\t1\nüber\t1\nÜber\t1\néé\t1\nÉÉ\t1\n' --min-length 2
counts 'the\t1\nüber\t1\nÜber\t1\nx\t1\né\t1\néé\t1\nÉÉ\t1\n' --stopwords stop
counts 'x\t1\né\t1\néé\t2\n' --stopwords stop --lower
counts 'éé\t2\n' --stopwords stop --lower --min-length 2

exits 64 "${feed[@]}" --feed in --decode json
says "json:/NAME"
exits 64 "${feed[@]}" --feed in --decode json:a
says "it begins with '/', as in /a"
exits 64 "${feed[@]}" --feed in --decode json:/~2
says "'~' is written as ~0"
exits 64 "${feed[@]}" --feed in --on-invalid ignore
exits 64 "${feed[@]}" --feed in --min-length -1
exits 64 "${feed[@]}" --feed - --stopwords -
exits 66 "${feed[@]}" --feed in --stopwords no-such-file
says "no-such-file: cannot be opened"
exits 66 "${feed[@]}" --feed in --stopwords .
says "is a directory"

# A batch that failed is the next one again, and goes on when it is told what to do.
"$KSTREAM" broker --topic kept:1 > address 2> broker.err &
children+=($!)
wait_for 10 grep -q bootstrap address || fail "no broker"
brokers=$(awk '{print $2}' address)
printf 'A b\nbad\xff\nc\n' > lines
exits 0 produce -b "$brokers" -t kept < lines
kept=(wordcount -b "$brokers" -t kept --from earliest -e --format json --state-dir state --lower)
for _ in 1 2; do
  exits 65 "${kept[@]}" --on-invalid fail
  [[ ! -s out ]] || fail "a part of a failed batch was written"
  says "kept:0: the record at offset 1"
done
exits 0 "${kept[@]}" --on-invalid skip
python3 -c 'import json, sys
b = json.loads(sys.stdin.read())
print(b["batch"], b["records"], b["words"], b["invalid"], b["counts"])' < out > got
echo "1 3 3 1 [['a', 1], ['b', 1], ['c', 1]]" > want
same "the batch that had failed" want got
exits 78 wordcount -b "$brokers" -t kept -e --state-dir state
says "filter lower there, none here"

#!/usr/bin/env bash
# label: kafka
# Files and SQLite beside each other: what they hold is exact over kill -9 in both modes, no batch
# twice, none missing; and what is wrong with an output is said.
#
# KSTREAM_TEST_OUTPUT_KILLS (default 15) in each mode.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work"
needs_kafka
kills=${KSTREAM_TEST_OUTPUT_KILLS:-15}
RANDOM=${KSTREAM_TEST_SEED:-7}

# sums_of DATABASE FILES...: WORD<TAB>COUNT of each, after checking ids and sums, as db.got and files.got.
sums_of() {
  python3 - "$@" <<'P'
import collections, gzip, json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
def write(name, sums):
    with open(name, "w") as out:
        for word in sorted(sums):
            print(word, sums[word], sep="\t", file=out)
batches = db.execute("select batch, records, words, distinct_words from kstream_batches order by batch").fetchall()
assert [row[0] for row in batches] == list(range(1, len(batches) + 1)), "ids in the database"
of_counts = db.execute("select batch, sum(count), count(*) from kstream_counts group by batch order by batch").fetchall()
assert of_counts == [(b, words, distinct) for b, _, words, distinct in batches], "counts and batches differ"
assert db.execute("pragma integrity_check").fetchone() == ("ok",)
write("db.got", dict(db.execute("select word, count from kstream_totals")))
sums, ids = collections.Counter(), []
for name in sorted(sys.argv[2:]):
    with gzip.open(name, "rt") as file:
        batch = json.load(file)
    ids.append(batch["batch"])
    sums.update(dict(batch["counts"]))
assert ids == list(range(1, len(batches) + 1)), "ids of the files"
write("files.got", sums)
print(len(batches))
P
}

for mode in direct receiver; do
  topic=outputs-$mode-$run
  make_topic "$topic" 4
  lines 7 $((kills * 18000)) > feed
  text_sums < feed > want
  count=("$KSTREAM" wordcount --mode "$mode" -b "$brokers" -g "$topic" -t "$topic" --from earliest
    --interval 100ms --state-dir "state-$mode" --name words --output "sqlite:$mode.db"
    --output "file:$mode.files" --compress gzip -X session.timeout.ms=6000)
  files_written() { find "$mode.files" -name 'batch-*' 2> /dev/null | wc -l || true; }
  killed_lives "$kills" "$topic" files_written "${count[@]}"
  [[ ! -s out.last ]] || fail "something on standard output"
  number=$(sums_of "$mode.db" "$mode.files"/batch-*.json.gz) || fail "$mode: see above"
  LC_ALL=C sort -o db.got db.got
  LC_ALL=C sort -o files.got files.got
  same "$mode: the counts in the database" want db.got
  same "$mode: the counts in the files" want files.got
  [[ $(readlink "$mode.files/latest") == "$(cd "$mode.files" && printf '%s\n' batch-* | tail -n 1)" ]] || fail "latest"
  echo "$mode: $kills kills, $number batches, each once in both outputs"
  ((number > 1)) || fail "only $number batches in $kills lives: that shows nothing"
done

# The outputs know the stream: without its state it is refused, with both numbers.
topic=outputs-direct-$run
exits 65 wordcount -b "$brokers" -t "$topic" --from earliest -e --once --name words --output sqlite:direct.db
says "holds batch"
says "--name"
exits 0 wordcount -b "$brokers" -t "$topic" --from earliest -e --once --name other --output sqlite:direct.db
exits 65 wordcount -b "$brokers" -t "$topic" --from earliest -e --once --name words --output file:direct.files
says "holds batch"
exits 78 wordcount -b "$brokers" -t "$topic" --from earliest -e --once --name other --output file:direct.files
says "belongs to stream 'words'"

# Two at once: the second may not write the directory, and loses the race for the database.
"$KSTREAM" wordcount -b "$brokers" -t "$topic" --from latest --name both --output file:both 2> first.err &
children+=("$!")
wait_for 20 test -e both/kstream-stream || fail "no output directory"
exits 75 wordcount -b "$brokers" -t "$topic" --from earliest -e --once --name both --output file:both
says "is in use by process"
for i in 1 2; do
  "$KSTREAM" wordcount -b "$brokers" -t "$topic" --from latest --interval 100ms --name race \
    --output sqlite:race.db > "race.$i" 2> "race.err.$i" &
  racers[i]=$!
  children+=("$!")
done
"$KSTREAM" produce -b "$brokers" -t "$topic" --rate 20000 < <(head -n 40000 feed) 2> produce.err
lost=0
for i in 1 2; do
  kill -TERM "${racers[i]}" 2> /dev/null || true
  status=0
  wait "${racers[i]}" || status=$?
  case $status in
    0) ;;
    75) lost=$((lost + 1)); grep -q "another process has written it" "race.err.$i" || fail "no help" ;;
    *) cat "race.err.$i" >&2; fail "racer $i ended with $status" ;;
  esac
done
((lost == 1)) || fail "$lost of two lost the race for one stream"

# What is wrong with an output.
exits 73 wordcount -b "$brokers" -t "$topic" --from earliest -e --once --output sqlite:nowhere/x.db
exits 73 wordcount -b "$brokers" -t "$topic" --from earliest -e --once --output file:nowhere/x
python3 -c 'import sqlite3; sqlite3.connect("columns.db").execute("create table kstream_counts (word, n)").connection.commit()'
exits 78 wordcount -b "$brokers" -t "$topic" --from earliest -e --once --output sqlite:columns.db
says "has the columns word,n"
left=$(python3 -c 'import sqlite3; db = sqlite3.connect("columns.db")
print(*[row[0] for sql in ("select name from sqlite_master", "pragma journal_mode") for row in db.execute(sql)])')
[[ $left == "kstream_counts delete" ]] || fail "a refused file was changed: $left"
echo text > text.db; printf '%0.s ' {1..200} >> text.db
exits 78 wordcount -b "$brokers" -t "$topic" --from earliest -e --once --output sqlite:text.db
exits 64 wordcount -b "$brokers" -t "$topic" --output parquet:x
says "file:DIR"
exits 64 wordcount -b "$brokers" -t "$topic" --output stdout --output stdout

# A directory that is removed while it is written to is not made anew.
"$KSTREAM" wordcount -b "$brokers" -t "$topic" --from latest --interval 100ms --output file:gone 2> gone.err &
daemon=$!
children+=("$daemon")
wait_for 20 test -e gone/kstream-stream || fail "no output directory"
rm -r gone
"$KSTREAM" produce -b "$brokers" -t "$topic" < <(head -n 10 feed) 2> produce.err
status=0
wait "$daemon" || status=$?
[[ $status == 73 && ! -e gone ]] || { cat gone.err >&2; fail "removed directory: exit $status"; }
grep -q "has gone" gone.err || fail "no help: $(< gone.err)"

# One batch of 50,000 words in every format and compression, read back.
seq -f 'word-%.0f' 50000 > many
for format in json tsv csv; do
  for compress in none gzip zstd; do
    exits 0 wordcount --brokers embedded --feed many -t many --from earliest -e --once --format "$format" \
      --compress "$compress" --output "file:many.$format.$compress"
    case $compress in none) unpack=(cat) ;; gzip) unpack=(gzip -dc) ;; zstd) unpack=(zstd -dcq) ;; esac
    "${unpack[@]}" "many.$format.$compress"/batch-00000000000000000001.* \
      | sed 's/20[-0-9]*T[:.0-9]*Z//g' > unpacked
    [[ $compress != none ]] || mv unpacked plain
    [[ $compress == none ]] || cmp plain unpacked || fail "$format by $compress"
    [[ $(grep -o 'word-' plain | wc -l) == 50000 ]] || fail "$format: not all words"
  done
done

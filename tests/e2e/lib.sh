# What the end-to-end tests share. KSTREAM is the program, KSTREAM_TOOLS the folder of test tools.
# shellcheck shell=bash
set -euo pipefail
: "${KSTREAM:?the program}"
work=$(mktemp -d)
children=()
cleanup() {
  local child
  for child in ${children[@]+"${children[@]}"}; do kill "$child" 2> /dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }

# same WHAT WANT_FILE GOT_FILE
same() { diff "$2" "$3" > "$work/diff" || { head -20 "$work/diff" >&2; fail "$1"; }; }

# exits CODE ARGUMENT...: runs kstream, leaves its output in out and err, and wants this status.
exits() {
  local want=$1 got=0
  shift
  timeout 60 "$KSTREAM" "$@" > "$work/out" 2> "$work/err" || got=$?
  [[ $got == "$want" ]] || { cat "$work/err" >&2; fail "kstream $*: exit $got, wanted $want"; }
}

# says TEXT: the last run's standard error has it.
says() { grep -qF -- "$1" "$work/err" || { cat "$work/err" >&2; fail "standard error lacks: $1"; }; }

# WORD<TAB>COUNT lines of TSV output, of all batches added up.
tsv_sums() { cut -f 2- | awk -F '\t' '{c[$1] += $2} END {for (w in c) print w "\t" c[w]}' | LC_ALL=C sort; }
# The same of plain text, by awk alone.
text_sums() { tr ' ' '\n' | awk '{c[$0]++} END {for (w in c) print w "\t" c[w]}' | LC_ALL=C sort; }

# Lines of words, the same for the same numbers: lines SEED COUNT
lines() {
  awk -v seed="$1" -v n="$2" 'BEGIN {
    srand(seed)
    for (i = 0; i < n; i++) {
      line = "w" int(50000 * rand() ^ 3)
      for (j = 0; j < 5; j++) line = line " w" int(50000 * rand() ^ 3)
      print line
    }
  }'
}

# For tests of a real Kafka: its address in `brokers`, and `run` to tell topics of this run apart.
needs_kafka() {
  : "${KSTREAM_TEST_BROKERS:?the address of a Kafka, as scripts/test gives it}"
  : "${KSTREAM_TEST_CLASSPATH:?the class path of its tools, as scripts/kafka classpath gives it}"
  brokers=$KSTREAM_TEST_BROKERS
  # shellcheck disable=SC2034  # for the tests
  run=$$-$RANDOM
}

# kafka_tool CLASS ARGUMENT...: one of Kafka's own tools; its output is in java.out.
kafka_tool() {
  java -Xmx128m -XX:TieredStopAtLevel=1 -cp "$KSTREAM_TEST_CLASSPATH" "org.apache.kafka.tools.$1" \
    --bootstrap-server "$brokers" "${@:2}" > "$work/java.out" 2>&1 \
    || { cat "$work/java.out" >&2; fail "$1 ${*:2}"; }
}

make_topic() { "$KSTREAM_TOOLS/topics" "$brokers" create "$1" "$2" 1 "${@:3}"; }  # NAME PARTITIONS [KEY=VALUE]...
grow_topic() { "$KSTREAM_TOOLS/topics" "$brokers" grow "$1" "$2"; }  # NAME PARTITIONS
delete_topic() { "$KSTREAM_TOOLS/topics" "$brokers" delete "$1"; }

# consume TOPIC: what is committed in it, HEADERS<TAB>KEY<TAB>VALUE. On a busy machine it can take the
# consumer longer to begin than it waits for more: an empty topic is looked at twice.
consume() {
  local timeout_ms
  for timeout_ms in 6000 30000; do
    java -Xmx128m -XX:TieredStopAtLevel=1 -cp "$KSTREAM_TEST_CLASSPATH" \
      org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$brokers" --topic "$1" \
      --from-beginning --isolation-level read_committed --timeout-ms "$timeout_ms" \
      --formatter-property print.key=true --formatter-property print.headers=true \
      > "$work/consumer.out" 2> "$work/consumer.err" \
      || { cat "$work/consumer.err" >&2; fail "the consumer of $1"; }
    # It says here, too, that nothing more has come for so long.
    grep -vE '^$|Error processing message, terminating|common.errors.TimeoutException$' "$work/consumer.out" && return
  done
  true
}

# wait_for SECONDS COMMAND...: until it holds; false when it never does.
wait_for() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < until)) || return 1
    sleep 0.1
  done
}

# launch COMMAND...: it runs in the background as `daemon`, its standard error goes to err. That is emptied
# before there is a process: whoever looks for a word of this one must not find an earlier one's.
launch() {
  : > "$work/err"
  "$@" 2> "$work/err" &
  daemon=$!
  children+=("$daemon")
}
# ends STATUS WHAT [SIGNAL]: what was launched ends with this status after a SIGTERM.
ends() {
  local status=0
  kill "-${3-TERM}" "$daemon"
  wait "$daemon" || status=$?
  [[ $status == "$1" ]] || { cat "$work/err" >&2; fail "$2: exit $status, wanted $1"; }
}

# For tests of groups.
# log_ends TOPIC PARTITIONS: where the logs end, TOPIC:PARTITION:OFFSET lines.
log_ends() {
  local partition wanted=()
  for ((partition = 0; partition < $2; partition++)); do wanted+=(-t "$1:$partition:-1"); done
  kcat -Q -b "$brokers" "${wanted[@]}" 2> "$work/kcat.err" \
    | sed -E 's/^(.*) \[([0-9]+)\] offset ([0-9]+)$/\1:\2:\3/' | sort -t : -k 2n
}
# group_at GROUP TOPIC PARTITIONS: what the group has committed, as log_ends says it.
group_at() {
  local partition wanted=()
  for ((partition = 0; partition < $3; partition++)); do wanted+=("$2:$partition"); done
  "$KSTREAM_TOOLS/offsets_probe" read kafka "$brokers" "$1" "${wanted[@]}" 2> "$work/probe.err" \
    | tr ' ' '\n' | sort -t : -k 2n
}
# The committed offset of each partition is its last one + 1.
is_at_end() { [[ $(group_at "$@") == "$(log_ends "${@:2}")" ]]; }
# hold TOPIC GROUP: until `release`, a transaction is about to change the group's position at partition 0.
hold() {
  mkfifo "$work/gate"
  "$KSTREAM_TOOLS/transactions" "$brokers" "$1" "holder-$1" "hold:$2" < "$work/gate" > "$work/held" 2> "$work/hold.err" &
  holder=$!
  children+=("$holder")
  exec 7> "$work/gate"
  wait_for 30 grep -qs held "$work/held" || { cat "$work/hold.err" >&2; fail "nothing holds $2"; }
}
release() {
  echo >&7
  exec 7>&-
  wait "$holder" || { cat "$work/hold.err" >&2; fail "what held a group ended with $?"; }
}
# counted FILE...: how many records these JSON lines have counted; a batch that came twice is one.
counted() {
  python3 -c 'import json, sys
print(sum({b["batch"]: b["records"] for f in sys.argv[1:] for l in open(f) if l.endswith("\n")
           for b in [json.loads(l)]}.values()))' "$@"
}

# What outputs hold, WORD<TAB>COUNT of all batches.
file_sums() {  # DIRECTORY
  cat "$1"/batch-*.json | python3 -c '
import collections, json, sys
sums = collections.Counter()
for line in sys.stdin:
    sums.update(dict(json.loads(line)["counts"]))
for word in sums:
    print(word, sums[word], sep="\t")' | LC_ALL=C sort
}
sqlite_sums() {  # FILE STREAM
  python3 -c '
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("select word, count from kstream_totals where stream = ?", sys.argv[2:]):
    print(*row, sep="\t")' "$1" "$2" | LC_ALL=C sort
}

# For tests of a full disk: one of this size in $work/disk, seen by this test alone.
needs_small_disk() {
  if [[ ${KSTREAM_TEST_MOUNTS-} != private ]]; then
    if ! unshare -m sh -c 'mount -t tmpfs -o size=1m tmpfs /mnt' 2> "$work/unshare.err"; then
      echo "skipped: no private mounts here: $(< "$work/unshare.err")"
      exit 77
    fi
    rm -rf "$work"
    trap - EXIT
    KSTREAM_TEST_MOUNTS=private exec unshare -m bash "$0"
  fi
  mkdir "$work/disk"
  mount -t tmpfs -o "size=$1,mode=700" tmpfs "$work/disk"
  trap 'umount -l "$work/disk"; cleanup' EXIT
}
# What is left of it is taken away.
fill() { dd if=/dev/zero of="$work/disk/filler" bs=64k 2> "$work/dd.err" || true; }

# For tests of kill -9.
# killed_lives KILLS TOPIC PROGRESS COMMAND...: runs the command KILLS times and kills it with -9 at random
# moments; then a last time, with --exit. Lines of `feed` are produced meanwhile, some for each life: none
# finds nothing to do, however slow the machine. Every third goes on until what PROGRESS prints changes, so
# that it has come to something. `lives` are the files of their outputs; what they said is in err.LIFE.
killed_lives() {
  local kills=$1 topic=$2 progress=$3 life daemon before producer producers=()
  shift 3
  rm -f piece.* out.* err.*
  split -d -a 4 -l $((($(wc -l < feed) + kills - 1) / kills)) feed piece.
  lives=()
  # shellcheck disable=SC2317  # wait_for calls it
  comes_to_something() { [[ $("$progress") != "$before" ]]; }
  for ((life = 1; life <= kills; life++)); do
    "$KSTREAM" produce -b "$brokers" -t "$topic" --rate 30000 < "$(printf 'piece.%04d' $((life - 1)))" \
      2> "produce.$life" &
    producers+=("$!")
    : > "out.$life"
    before=$("$progress")
    "$@" > "out.$life" 2> "err.$life" &
    daemon=$!
    children+=("${producers[-1]}" "$daemon")
    lives+=("out.$life")
    sleep "0.$((RANDOM % 70 + 15))"
    ((life % 3)) || wait_for 60 comes_to_something || { cat "err.$life" >&2; fail "life $life counts nothing"; }
    kill -KILL "$daemon" || { cat "err.$life" >&2; fail "life $life ended before it was killed"; }
    wait "$daemon" 2> /dev/null || true
  done
  for producer in "${producers[@]}"; do
    wait "$producer" || { cat produce.[0-9]* >&2; fail "produce ended with $?"; }
  done
  "$@" --exit > out.last 2> err.last || { cat err.last >&2; fail "the last life ended with $?"; }
  lives+=(out.last)
  if grep -hE 'error' err.* >&2; then fail "a life did not end by its kill"; fi
}
# Progress of what writes JSON lines to standard output.
lines_out() { wc -l < "out.$life"; }

postgres_proxy=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/postgres_proxy.py
# For tests of PostgreSQL: a database of its own in `url`, the server's port in `postgres_port`.
needs_postgres() {
  : "${KSTREAM_TEST_POSTGRES:?the URL of a PostgreSQL, as scripts/test gives it}"
  postgres_port=$(sed -E 's/.*:([0-9]+)\/.*/\1/' <<< "$KSTREAM_TEST_POSTGRES")
  # shellcheck disable=SC2034  # for the tests
  password=$(sed -E 's/.*:([^@]*)@.*/\1/' <<< "$KSTREAM_TEST_POSTGRES")
  local database=kstream_test_$$_$RANDOM
  psql -qX "$KSTREAM_TEST_POSTGRES" -c "CREATE DATABASE $database"
  url=${KSTREAM_TEST_POSTGRES%/*}/$database
  admin_url=$KSTREAM_TEST_POSTGRES
  trap 'cd /; cleanup; psql -qX "$admin_url" -c "DROP DATABASE '"$database"' WITH (FORCE)"' EXIT
}
sql() { psql -qAtX -F $'\t' -v ON_ERROR_STOP=1 "${2-$url}" -c "$1"; }

# start_proxy HOW_OFTEN [PID_FILE]: `proxied` is the database's URL through postgres_proxy.py.
start_proxy() {
  python3 "$postgres_proxy" "$postgres_port" "$@" > proxy.out 2> proxy.err &
  children+=("$!")
  wait_for 10 test -s proxy.out || fail "the proxy: $(cat proxy.err)"
  # shellcheck disable=SC2034  # for the tests
  proxied=${url/:$postgres_port/:$(head -n 1 proxy.out)}
}

# postgres_holds STREAM WANT LINES: the counts are these, WORD<TAB>COUNT; each batch is there once, whole
# and after the one before; the positions are those after this number of lines.
postgres_holds() {
  sql "SELECT word, count FROM kstream_totals WHERE stream = '$1'" | LC_ALL=C sort > "$work/held"
  same "the counts of $1" "$2" "$work/held"
  local wrong
  wrong=$(sql "SELECT batch, 'is not whole' FROM kstream_batches b WHERE stream = '$1' AND NOT EXISTS
        (SELECT FROM kstream_counts c WHERE c.stream = b.stream AND c.batch = b.batch
         HAVING coalesce(sum(count), 0) = words AND count(DISTINCT word) = distinct_words)
      UNION ALL SELECT batch, 'has a word twice' FROM kstream_counts WHERE stream = '$1' GROUP BY batch, word HAVING count(*) > 1
      UNION ALL SELECT batch, 'is in no batch' FROM kstream_counts WHERE stream = '$1'
        AND batch NOT IN (SELECT batch FROM kstream_batches WHERE stream = '$1')
      UNION ALL SELECT max(batch), 'is the last of fewer' FROM kstream_batches WHERE stream = '$1' HAVING max(batch) <> count(*)
      UNION ALL SELECT sum(next_offset), 'is not $3' FROM kstream_offsets WHERE stream = '$1' HAVING sum(next_offset) <> $3
      UNION ALL SELECT sum(records), 'records' FROM kstream_batches WHERE stream = '$1' HAVING sum(records) <> $3")
  [[ -z $wrong ]] || fail "$1 in PostgreSQL: $wrong"
}

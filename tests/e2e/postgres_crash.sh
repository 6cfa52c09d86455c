#!/usr/bin/env bash
# label: kafka
# kill -9 at random moments and around COMMIT, in both modes, and a PostgreSQL that is restarted and
# crashes: what the database holds is exact all the same.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
scripts=$(cd "$(dirname "$0")/../../scripts" && pwd)
cd "$work"
needs_kafka
needs_postgres
kills=${KSTREAM_TEST_OUTPUT_KILLS:-10}
RANDOM=${KSTREAM_TEST_SEED:-7}
((kills > 3)) || kills=4  # one of each

# lives MODE OPTION...: every second life ends at a COMMIT, if there is one to come.
lives() {
  local mode=$1 life daemon
  shift
  local topic=postgres-$mode-$run lines=$((kills * 9000))
  make_topic "$topic" 4
  lines 8 "$lines" > "feed.$mode"
  text_sums < "feed.$mode" > "want.$mode"
  local count=("$KSTREAM" wordcount --mode "$mode" -b "$brokers" -t "$topic" --from earliest --interval 100ms
    --state-dir "state.$mode" --name "$mode" "$@")
  "$KSTREAM" produce -b "$brokers" -t "$topic" --rate 9000 < "feed.$mode" 2> produce.err &
  local producer=$!
  children+=("$producer")
  rm -f proxy.out pid
  start_proxy 1000000 "$work/pid"
  for ((life = 1; life <= kills; life++)); do
    if ((life % 2)); then
      "${count[@]}" --output "$url" 2> "err.$mode.$life" &
      daemon=$!
      sleep "0.$((RANDOM % 60 + 25))"
      kill -KILL "$daemon" || { cat "err.$mode.$life" >&2; fail "life $life ended before it was killed"; }
    else
      "${count[@]}" --output "$proxied" 2> "err.$mode.$life" &
      daemon=$!
      echo "$daemon" > pid
      is_killed_or_done() { ! kill -0 "$daemon" 2> /dev/null || ! kill -0 "$producer" 2> /dev/null; }
      wait_for 60 is_killed_or_done || { cat "err.$mode.$life" >&2; fail "life $life: no COMMIT"; }
      kill -KILL "$daemon" 2> /dev/null || true
    fi
    wait "$daemon" 2> /dev/null || true
  done
  wait "$producer" || { cat produce.err >&2; fail "produce ended with $?"; }
  timeout 120 "${count[@]}" --output "$url" --exit 2> "err.$mode.last" \
    || { cat "err.$mode.last" >&2; fail "the last life ended with $?"; }
  grep -hE 'error' err."$mode".* >&2 && fail "a life did not end by its kill"
  postgres_holds "$mode" "want.$mode" "$lines"
  local batches
  batches=$(sql "SELECT count(*) FROM kstream_batches WHERE stream = '$mode'")
  echo "$mode: $kills kills, $(sed 1d proxy.out | sort | uniq -c | xargs) COMMIT, $batches batches"
  (($(wc -l < proxy.out) > kills / 4 && batches > kills / 2)) || fail "that shows nothing"
}
lives direct
lives receiver -g "crash-$run" -X session.timeout.ms=6000

# A server of this test's own: away when kstream starts, restarted, and crashed: on SIGQUIT it stops at
# once, and recovers when it starts.
"$scripts/postgres" start --dir "$work/pg" > pg.out
trap '"$scripts/postgres" stop --dir "$work/pg" || true; cd /; cleanup; psql -qX "$admin_url" -c "DROP DATABASE ${url##*/} WITH (FORCE)"' EXIT
own=$(sed 's/^postgres //' pg.out)
is_down() { ! "$scripts/postgres" status --dir "$work/pg" > /dev/null; }
down() { kill "-$1" "$(< pg/node-1/pid)" && wait_for 20 is_down; }
up() { "$scripts/postgres" start --dir "$work/pg" > pg.out; }
topic=postgres-restart-$run
make_topic "$topic" 2
lines 9 60000 > feed
text_sums < feed > want
count=("$KSTREAM" wordcount -b "$brokers" -t "$topic" --from earliest --interval 100ms --state-dir state
  --name restart --output "$own")
down INT
launch "${count[@]}"
wait_for 20 grep -qsF 'Trying again' err || { cat err >&2; fail "it does not wait for the server"; }
ends 0 "stopped while the server is away"
launch "${count[@]}"
wait_for 20 grep -qsF 'Trying again' err || { cat err >&2; fail "it does not wait for the server again"; }
"$KSTREAM" produce -b "$brokers" -t "$topic" --rate 6000 < feed 2> produce.err &
producer=$!
children+=("$producer")
up
for signal in INT QUIT INT QUIT; do
  sleep 1
  down "$signal"
  sleep 0.5
  up
done
wait "$producer" || { cat produce.err >&2; fail "produce ended with $?"; }
ends 0 "after restarts"
"${count[@]}" --exit 2> err.last || { cat err.last >&2; fail "the last life ended with $?"; }
url=$own postgres_holds restart want 60000
echo "5 restarts, $(sql "SELECT count(*) FROM kstream_batches" "$own") batches, exact"

#!/usr/bin/env bash
# label: cluster
# What happens to members of a group: stopped for longer than their session, two of one name, a group
# that is forbidden, a coordinator that restarts. The promised outcome, and exact counts.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
needs_kafka
stop_seconds=${KSTREAM_TEST_STOP_SECONDS:-5}
# A Kafka of its own, as it is stopped and has rules.
kafka=("$here/../../scripts/kafka")
stop_kafka() { "${kafka[@]}" stop --dir "$work/kafka" || true; cleanup; }
trap stop_kafka EXIT
brokers=$("${kafka[@]}" start --dir "$work/kafka")
brokers=${brokers#bootstrap }
cd "$work"
broker_pid() { cat kafka/node-1/pid; }

properties=(-X session.timeout.ms=3000 -X heartbeat.interval.ms=500)
# member NAME ARGUMENT...: in the background; out.NAME, err.NAME, its process in `member`.
member() {
  "$KSTREAM" wordcount --mode receiver -b "$brokers" -g "$group" -t "$topic${threads:-}" --from earliest -i 200ms \
    --format json "${properties[@]}" "${@:2}" > "out.$1" 2> "err.$1" &
  member=$!
  children+=("$member")
}
ends_well() {  # NAME PID
  local status=0
  kill -TERM "$2"
  wait "$2" || status=$?
  [[ $status == 0 ]] || { cat "err.$1" >&2; fail "member $1 ended with $status"; }
}
begin() {  # NAME RECORDS RATE: a group, its topic of four partitions, its feed
  group=$1 topic=$1
  make_topic "$topic" 4
  lines 9 "$2" > feed
  text_sums < feed > want
  "$KSTREAM" produce -b "$brokers" -t "$topic" --rate "$3" < feed 2> produce.err &
  producer=$!
  children+=("$producer")
}
fed() { wait "$producer" || { cat produce.err >&2; fail "produce ended with $?"; }; }
counts() { grep -qs '"batch"' "out.$1"; }
both_count() {
  local name
  for name; do wait_for 20 counts "$name" || { cat "err.$name" >&2; fail "member $name counts nothing"; }; done
}
all_is_received() {
  wait_for 60 is_at_end "$group" "$topic" 4 \
    || { tail -n 4 err.* >&2; fail "$1: stands still at $(group_at "$group" "$topic" 4 | xargs) of $(log_ends "$topic" 4 | xargs)"; }
}
check() {  # WHAT [--no-log] STREAM...
  local options=() what=$1
  shift
  [[ $1 != --no-log ]] || { options=("$1"); shift; }
  log_ends "$topic" 4 > ends
  cat err.* > said
  python3 "$here/coverage.py" ${options[@]+"${options[@]}"} ends said "$@" 2> figures | LC_ALL=C sort > got || { cat figures >&2; fail "$what"; }
  read -r batches repeated twice reported < figures
  echo "$what: $batches batches, $repeated printed again, $twice offsets counted twice, $reported reported"
  ((twice > 0)) || same "$what" want got
}
# counted_all STREAM...: each a list of files, as check wants them; every record at least once.
counted_all() {
  local stream sum=0 files
  for stream; do
    IFS=, read -ra files <<< "$stream"
    sum=$((sum + $(counted "${files[@]}")))
  done
  ((sum >= $(wc -l < feed)))
}

# --- stopped for longer than its session, alone: it joins again, and nothing came twice
for threads in '' '=3'; do
  begin "alone${#threads}" $(((stop_seconds + 5) * 5000)) 5000
  member "alone${#threads}" --state-dir "state-alone${#threads}"
  wait_for 20 counts "alone${#threads}" || { cat "err.alone${#threads}" >&2; fail "it counts nothing"; }
  kill -STOP "$member"
  sleep "$stop_seconds"
  kill -CONT "$member"
  fed
  all_is_received "stopped alone"
  wait_for 20 counted_all "out.alone${#threads}" || { cat "err.alone${#threads}" >&2; fail "stopped alone: counted $(counted "out.alone${#threads}")"; }
  ends_well "alone${#threads}" "$member"
  check "stopped alone, threads '$threads'" "out.alone${#threads}"
  ((twice == 0)) || fail "$twice offsets came twice"
  # With several members it is not known at once whose a partition will be.
  [[ $threads != '' ]] || ((reported == 0)) || fail "$reported offsets were reported, and nobody else was there"
done
threads=''

# --- the same while others are there: they take over, and what may have come twice is said
begin others $(((stop_seconds + 6) * 5000)) 5000
member x --state-dir state-x
x=$member
member y --state-dir state-y
y=$member
both_count x y
kill -STOP "$x"
sleep "$stop_seconds"
kill -CONT "$x"
fed
all_is_received "stopped with others"
wait_for 20 counted_all out.x out.y || { cat err.x err.y >&2; fail "stopped with others: $(counted out.x) and $(counted out.y)"; }
ends_well x "$x"
ends_well y "$y"
check "stopped with others" out.x out.y

# --- without a log
begin nolog $(((stop_seconds + 6) * 5000)) 5000
member nx
x=$member
member ny
y=$member
both_count nx ny
kill -STOP "$x"
sleep "$stop_seconds"
kill -CONT "$x"
fed
all_is_received "stopped, no log"
wait_for 20 counted_all out.nx out.ny || { cat err.nx err.ny >&2; fail "stopped, no log: $(counted out.nx) and $(counted out.ny)"; }
ends_well nx "$x"
ends_well ny "$y"
check "stopped, no log" --no-log out.nx out.ny

# --- two of one name: a copy of a state directory
begin names 20000 20000
fed
member first --state-dir state-first
first=$member
wait_for 20 counts first || { cat err.first >&2; fail "it counts nothing"; }
cp -r state-first state-copy
rm -f state-copy/LOCK
status=0
member second --state-dir state-copy
second=$member
one_has_ended() { ! kill -0 "$first" 2> /dev/null || ! kill -0 "$second" 2> /dev/null; }
wait_for 20 one_has_ended || { cat err.first err.second >&2; fail "two of one name go on"; }
loser=first
kill -0 "$first" 2> /dev/null && loser=second
wait "${!loser}" || status=$?
[[ $status == 75 ]] || { cat err.first err.second >&2; fail "two of one name: the $loser one ended with $status"; }
grep -qF 'Run one process per --state-dir' "err.$loser" || { cat "err.$loser" >&2; fail "two of one name: what is said"; }
winner=second
[[ $loser == first ]] || winner=first
ends_well "$winner" "${!winner}"

# --- a broker that restarts, the only one: the coordinator with it
begin restart 60000 6000
member restart --state-dir state-restart
wait_for 20 counts restart || { cat err.restart >&2; fail "it counts nothing"; }
kill -TERM "$(broker_pid)"
# When it is back, it has rules.
cat >> kafka/node-1/server.properties << END
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
END
sleep 8
"${kafka[@]}" start --dir "$work/kafka" > /dev/null
fed
# What is in the topic says an independent reader.
kcat -C -b "$brokers" -t "$topic" -o beginning -e -q > feed 2> kcat.err
text_sums < feed > want
all_is_received "a restart of the broker"
wait_for 30 counted_all out.restart || { cat err.restart >&2; fail "a restart of the broker: $(counted out.restart)"; }
ends_well restart "$member"
check "a restart of the broker" out.restart
((twice == 0)) || fail "$twice offsets came twice"

# --- a group that is forbidden: while it receives, and from the start
begin forbidden 60000 6000
member forbidden --state-dir state-forbidden
wait_for 20 counts forbidden || { cat err.forbidden >&2; fail "it counts nothing"; }
kafka_tool AclCommand --add --deny-principal User:ANONYMOUS --operation Read --group "$group"
has_ended() { ! kill -0 "$member" 2> /dev/null; }
for life in forbidden refused; do
  status=0
  wait_for 20 has_ended || { cat "err.$life" >&2; fail "it goes on in a group that is forbidden"; }
  wait "$member" || status=$?
  [[ $status == 77 ]] || { cat "err.$life" >&2; fail "a group that is forbidden: $status"; }
  grep -qE "group 'forbidden'.* Ask for the right to read" "err.$life" \
    || { cat "err.$life" >&2; fail "a group that is forbidden: what is said"; }
  [[ $life == refused ]] || member refused --state-dir state-forbidden
done
kafka_tool AclCommand --remove --force --deny-principal User:ANONYMOUS --operation Read --group "$group"
fed
member allowed --state-dir state-forbidden
all_is_received "allowed again"
wait_for 30 counted_all out.forbidden,out.refused,out.allowed || { cat err.allowed >&2; fail "allowed again: $(counted out.forbidden out.refused out.allowed)"; }
ends_well allowed "$member"
check "a group that was forbidden" out.forbidden,out.refused,out.allowed
((twice == 0)) || fail "$twice offsets came twice"

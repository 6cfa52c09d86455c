#!/usr/bin/env bash
# label: kafka
# Three processes in one group that come and go under load: the sum of what they count is exact. Then
# one is killed and the others take over: nothing is missing, and what was counted twice is reported.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$work"
needs_kafka
changes=${KSTREAM_TEST_CHANGES:-8}
kills=${KSTREAM_TEST_GROUP_KILLS:-2}
RANDOM=${KSTREAM_TEST_SEED:-7}
rate=10000
declare -A pid lives

properties=(-X session.timeout.ms=6000)
# member NAME: starts it, in another life.
member() {
  lives[$1]=$((${lives[$1]:-0} + 1))
  local state=(--state-dir "state-$group-$1")
  [[ ${properties[*]} != *client.id* ]] || state=()
  "$KSTREAM" wordcount --mode receiver -b "$brokers" -g "$group" -t "$topic" --from earliest -i 200ms \
    --format json "${properties[@]}" "${state[@]}" \
    > "out.$group.$1.${lives[$1]}" 2> "err.$group.$1.${lives[$1]}" &
  pid[$1]=$!
  children+=("$!")
}
# leaves NAME: after a SIGTERM it ends with 0.
leaves() {
  local status=0
  kill -TERM "${pid[$1]}"
  wait "${pid[$1]}" || status=$?
  [[ $status == 0 ]] || { cat "err.$group.$1.${lives[$1]}" >&2; fail "member $1, life ${lives[$1]}: ended with $status"; }
}
# The lives of each member, as coverage.py wants them.
streams() {
  local name
  for name in "${!lives[@]}"; do
    find . -name "out.$group.$name.*" | sort -V | paste -sd ,
  done
}
begin() {  # NAME [PARTITIONS]: a group, its topic
  group=$1-$run topic=$1-$run lives=() pid=()
  partitions=${2:-6}
  make_topic "$topic" "$partitions"
  "$KSTREAM" produce -b "$brokers" -t "$topic" --rate "$rate" < feed 2> produce.err &
  producer=$!
  children+=("$producer")
}
# The rest is received, all is committed, no partition stands still, and all members leave.
all_is_received() {
  wait "$producer" || { cat produce.err >&2; fail "produce ended with $?"; }
  wait_for 30 is_at_end "$group" "$topic" "$partitions" \
    || { tail -n 3 "err.$group".* >&2; fail "$1: stands still at $(group_at "$group" "$topic" "$partitions" | xargs) of $(log_ends "$topic" "$partitions" | xargs)"; }
  log_ends "$topic" "$partitions" > ends
}
check() {  # WHAT
  cat "err.$group".* > said
  # shellcheck disable=SC2046  # words
  python3 "$here/coverage.py" ends said $(streams) 2> figures | LC_ALL=C sort > got || { cat figures >&2; fail "$1"; }
  read -r batches repeated twice reported < figures
}
finish() {
  all_is_received "$1"
  local name
  for name in "${!lives[@]}"; do leaves "$name"; done
  # What the log has and no batch yet is counted by the next life.
  for name in "${!lives[@]}"; do
    member "$name"
  done
  wait_for 20 all_lines || { tail -n 3 "err.$group".* >&2; fail "$1: not all was counted"; }
  for name in "${!lives[@]}"; do leaves "$name"; done
  check "$1"
}

new_feed() { lines 5 "$1" > feed && text_sums < feed > want; }  # RECORDS
new_feed $((changes * rate * 3 / 2))

begin clean
# Whether all records were counted at least once.
all_lines() {
  # shellcheck disable=SC2046
  (($(for stream in $(streams); do IFS=, read -ra files <<< "$stream"; counted "${files[@]}"; done | paste -sd +) >= $(wc -l < feed)))
}
names=(a b c)
for name in "${names[@]}"; do member "$name"; done
for ((change = 1; change <= changes; change++)); do
  name=${names[RANDOM % 3]}
  sleep "0.$((RANDOM % 90 + 10))"
  leaves "$name"
  # Now and then it is away for longer than its session, and the others have its partitions.
  ((change % 4)) || sleep 7
  member "$name"
done
finish "clean leaves"
echo "$changes members left and came back: $batches batches, $repeated printed again, $twice offsets counted twice, $reported reported"
same "the counts of three members" want got
((twice == 0 && reported == 0)) || fail "$twice offsets counted twice, $reported reported, and all had left cleanly"

new_feed $((kills * rate * 10))
begin killed
for name in "${names[@]}"; do member "$name"; done
for ((i = 0; i < kills; i++)); do
  name=${names[i % 3]}
  wait_for 20 grep -qs '"batch"' "out.$group.$name.${lives[$name]}" || fail "member $name counts nothing"
  sleep "0.$((RANDOM % 90 + 10))"
  kill -KILL "${pid[$name]}"
  wait "${pid[$name]}" 2> /dev/null || true
  sleep 7
  member "$name"
done
finish "kills"
echo "$kills members killed: $batches batches, $repeated printed again, $twice offsets counted twice, $reported reported"
LC_ALL=C join want got > both
awk '$3 < $2 {exit 1}' both || fail "a word was counted too few times"
[[ $(wc -l < both) == $(wc -l < want) ]] || fail "a word is missing"
((twice > 0)) || same "the counts after kills" want got

# A partition that its former holder does not get back: he says what he holds of it all the same. The
# others have no state directory, and a name that comes first when partitions are shared out.
new_feed $((rate * 4))
has() {  # NAME PARTITIONS: so many are its own now
  [[ $(grep -oE 'received here: [0-9]+ ' "err.$group.$1.${lives[$1]}" 2> grep.err | tail -n 1) == "received here: $2 " ]]
}
for ((i = 0; i < kills; i++)); do
  begin "one$i" 1
  properties=(-X session.timeout.ms=2000 -X heartbeat.interval.ms=500)
  member a
  wait_for 20 has a 1 || fail "member a has nothing"
  sleep "1.$((RANDOM % 90 + 10))"
  kill -KILL "${pid[a]}"
  wait "${pid[a]}" 2> /dev/null || true
  properties+=(-X client.id=0 --no-wal)
  member b
  wait_for 20 has b 1 || fail "member b does not take over"
  properties=("${properties[@]::4}")
  member a
  wait_for 20 has a 0 || { cat "err.$group".* >&2; fail "member a does not join again"; }
  all_is_received "one partition"
  wait_for 20 all_lines || { tail -n 3 "err.$group".* >&2; fail "one partition: not all was counted"; }
  leaves a
  leaves b
  check "one partition, round $i"
  echo "one partition, killed and taken over: $twice offsets counted twice, $reported reported"
done

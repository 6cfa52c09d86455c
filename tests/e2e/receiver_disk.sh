#!/usr/bin/env bash
# label: kafka
# A receiver's log on a disk that fills up, and one that has reached its largest size: receiving pauses
# and says so, goes on when there is room, and nothing is lost or doubled.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
needs_small_disk 64m
needs_kafka
cd "$work"

receive=(wordcount --mode receiver -b "$brokers" --from earliest --format json -i 200ms -X session.timeout.ms=6000)
# daemon ARGUMENT...: its output goes to descriptor 6.
daemon() { launch "$KSTREAM" "${receive[@]}" "$@" >&6; }
sees() { (($(counted out) >= $1)); }
position() { group_at "$group" "$topic" 2 | awk -F : '{sum += $3} END {print sum + 0}'; }
check() {  # WHAT [FILE]: what the stream has counted, and another one
  log_ends "$topic" 2 > ends
  : > nothing
  python3 "$here/coverage.py" ends nothing out "${@:2}" 2> figures | LC_ALL=C sort > got || { cat figures >&2; fail "$1"; }
  same "$1" want got
  is_at_end "$group" "$topic" 2 || fail "$1, committed: $(group_at "$group" "$topic" 2 | xargs) of $(xargs < ends)"
}
# stands_still: the committed position is the same twice, a second apart.
stands_still() {
  local before
  before=$(position)
  sleep 1
  [[ $(position) == "$before" ]]
}

# --- the disk is full
topic=disk-$run group=disk-$run
make_topic "$topic" 2
lines 6 250000 > feed
text_sums < feed > want
exec 6> out
daemon -g "$group" -t "$topic" --state-dir disk/state
"$KSTREAM" produce -b "$brokers" -t "$topic" --rate 15000 < feed 2> produce.err &
producer=$!
children+=("$producer")
wait_for 20 sees 1 || { cat err >&2; fail "it counts nothing"; }
# What the log frees meanwhile is taken away, too.
(
  trap 'exit 0' TERM
  while :; do
    dd if=/dev/zero of=disk/filler oflag=append conv=notrunc bs=64k 2> /dev/null || true
    sleep 0.02
  done
) &
filler=$!
children+=("$filler")
wait_for 20 grep -qF 'Nothing more is received until there is room' err || { cat err >&2; fail "a full disk: nothing is said"; }
wait_for 20 stands_still || fail "a full disk: it does not pause"
full_at=$(position)
(($(counted out) < 250000)) || fail "all was counted: that shows nothing"
kill -0 "$daemon" || { cat err >&2; fail "a full disk ended it"; }
# The group does not stand still: another member gets its share, and goes again.
"$KSTREAM" "${receive[@]}" -g "$group" -t "$topic" > out.other 2> err.other &
other=$!
children+=("$other")
wait_for 20 grep -q '"batch"' out.other || { cat err err.other >&2; fail "a full disk: the other member gets nothing"; }
kill -TERM "$other"
wait "$other" || { cat err.other >&2; fail "the other member ended with $?"; }
kill -TERM "$filler"
wait "$filler" || true
rm disk/filler
all=$((250000 - $(counted out.other)))
wait_for 60 sees "$all" || { cat err >&2; df disk >&2; fail "there is room again: $(counted out) of $all"; }
wait "$producer" || { cat produce.err >&2; fail "produce ended with $?"; }
# Full when it is told to stop, and when it starts.
ends 0 "after a full disk"
check "a full disk" out.other
"$KSTREAM" produce -b "$brokers" -t "$topic" < feed 2> produce.err
for when in stop start; do
  [[ $when == stop ]] || fill
  daemon -g "$group" -t "$topic" --state-dir disk/state
  if [[ $when == stop ]]; then
    wait_for 20 grep -q 'received here' err || fail "it does not receive"
    fill
  fi
  said() { grep -qE 'until there is room|Waiting for it' err || ! kill -0 "$daemon" 2> /dev/null; }
  wait_for 20 said || { cat err >&2; fail "it says nothing of a full disk"; }
  SECONDS=0
  ends 0 "full at its $when"
  ((SECONDS <= 3)) || { cat err >&2; fail "full at its $when: it ended after $SECONDS s"; }
done
# What a first start leaves on a disk with room for little, a later one takes.
truncate -s -256K disk/filler
"$KSTREAM" "${receive[@]}" -g "new-$run" -t "$topic" --state-dir disk/new > out.new 2> err.new &
new=$!
children+=("$new")
wait_for 20 grep -qF 'Waiting for it' err.new || { cat err.new >&2; fail "a first start on a full disk says nothing"; }
kill -KILL "$new"
wait "$new" 2> /dev/null || true
rm disk/filler
"$KSTREAM" "${receive[@]}" -g "new-$run" -t "$topic" --state-dir disk/new -e > out.run 2> err.run || { cat err.run >&2; fail "after a first start on a full disk: $?"; }
[[ $(counted out.run) == 500000 ]] || fail "after a first start on a full disk: $(counted out.run) of 500000"
rm -r disk/new
daemon -g "$group" -t "$topic" --state-dir disk/state
wait_for 60 sees $((all + 250000)) || { cat err >&2; fail "after stops on a full disk: $(counted out)"; }
ends 0 "after stops on a full disk"
cat feed feed | text_sums > want
check "stops on a full disk" out.other
echo "full at $full_at of 250000"

# --- the log is full: nobody reads what is written
topic=max-$run group=max-$run
make_topic "$topic" 2
cat feed feed feed feed > more.feed
mv more.feed feed
text_sums < feed > want
mkfifo pipe
exec 6<> pipe
daemon -g "$group" -t "$topic" --state-dir state-max --wal-max 16MiB
"$KSTREAM" produce -b "$brokers" -t "$topic" < feed 2> produce.err
wait_for 60 grep -qF 'Nothing more is received until there is room' err || { cat err >&2; fail "a full log: nothing is said"; }
wait_for 20 stands_still || fail "a full log: it does not pause"
(($(du -sb state-max | cut -f 1) <= 17 * 1024 * 1024)) || fail "the log is larger: $(du -sb state-max)"
(($(position) < 1000000)) || fail "all was received: that shows nothing"
resident=$(awk '/VmRSS/ {print $2}' "/proc/$daemon/status")
at=$(position)
cat <&6 > out &
reader=$!
children+=("$reader")
exec 6>&-
wait_for 60 sees 1000000 || { cat err >&2; fail "read again: $(counted out) of 1000000"; }
ends 0 "a full log"
kill "$reader" 2> /dev/null || true
check "a full log"
echo "the log was full at $at of 1000000, $resident KiB resident"

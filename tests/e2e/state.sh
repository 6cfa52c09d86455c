#!/usr/bin/env bash
# label: embedded
# The log of a receiving stream is shown and checked, also while it is written to.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
golden=$(cd "$(dirname "$0")/../golden" && pwd)
cd "$work"

mkdir -p state/wal
first=state/wal/00000000000000000001.wal last=state/wal/00000000000000000002.wal
cp "$golden/wal_1.wal" "$first"
cp "$golden/wal_2.wal" "$last"
exits 0 state verify state
grep -qxF 'state: ok: 2 segments, batch 2 in hand, 3 partitions' out || fail "verify says something else"
exits 0 state show --frames state
grep -qxF '  test 1 101' out || fail "no position"
grep -qF 'RECORDS test 0 5120 5310 95' out || fail "no frame"
(($(grep -c '\.wal [0-9]* [0-9]* [0-9]* ' out) == 16)) || fail "not 16 frames"
exits 0 offsets show --state-dir state
grep -qxF 'test 1 101' out || fail "no position of the log"

# Torn is no error, damage is one and has a place.
truncate -s 20530 "$last"
exits 0 state verify state
grep -qF 'torn at byte 20528 of 00000000000000000002.wal' out || fail "not torn"
printf x | dd of="$first" bs=1 seek=9000 conv=notrunc status=none
exits 65 state verify state; says "$first: byte 8248: the payload of frame 3 does not have its hash"
rm "$first"
exits 65 state verify state; says "segments before it are missing, with 2 blocks"

# A repair needs an IDENTITY, and keeps what it finds.
exits 66 state repair state; says "holds no log of a receiver"

# While it is written to, nothing looks damaged.
mkdir live
"$KSTREAM_TOOLS/wal_append" "$work/live" 512 1 > /dev/null &
writer=$!
children+=("$writer")
wait_for 20 test -e live/wal/00000000000000000001.wal || fail "it does not write"
checks=0
while kill -0 "$writer" 2> /dev/null && [[ ! -e live/plain ]]; do
  if ! "$KSTREAM" state verify live > out 2> err; then
    sleep 1  # at its end it removes the log
    [[ -e live/plain ]] || ! kill -0 "$writer" 2> /dev/null ||
      { cat err >&2; fail "it looks damaged while it is written to"; }
  fi
  ((checks += 1))
done
((checks > 0)) || fail "it was not checked"

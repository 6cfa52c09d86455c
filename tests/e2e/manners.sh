#!/usr/bin/env bash
# label: embedded
# Wrong input gets help and the promised exit code; signals and closed pipes end quietly.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work"

exits 64; says "no command"
exits 64 wordcuont; says "did you mean 'wordcount'"
exits 64 wordcount --topic test; says "--brokers"; says "metadata.broker.list"
exits 64 wordcount --brokers localhost:9092; says "--topic"
exits 64 wordcount --brokers localhost:9092 --topic test --intervall 2s; says "did you mean '--interval'"
exits 64 wordcount --brokers localhost:9092 --topic test --interval 2; says "is not a duration"
exits 64 wordcount --brokers localhost:9092 --topic test --from erliest; says "did you mean 'earliest'"
exits 64 wordcount --brokers localhost:9092 --topic test --range test:0:9:3; says "begins behind its end"
exits 64 wordcount --brokers localhost:9092 --topic test --range test:0:-1:3; says "not an offset"
exits 64 wordcount --brokers localhost:9092 --topic test --range test:0:0:9223372036854775808
exits 64 wordcount --brokers localhost:9092 --topic 'te st'; says "not a topic's name"
exits 64 wordcount --brokers localhost:9092 --topic test -X enable.auto.commit=true; says "keeps the position itself"
exits 64 wordcount --brokers localhost:9092 --topic test -X no.such.property=1; says "no.such.property"
exits 66 wordcount --brokers embedded --topic test --feed no-such-file -e; says "no-such-file"
exits 0 --help
exits 0 wordcount --help
exits 0 --version

# Nobody listens on this port: the bounded run gives up, the daemon waits and can be stopped.
exits 69 wordcount --brokers 127.0.0.1:1 --topic test -e --startup-timeout 1s; says "127.0.0.1:1"
[[ ! -s out ]] || fail "something on standard output"
launch "$KSTREAM" wordcount --brokers 127.0.0.1:1 --topic test > out
for _ in $(seq 100); do grep -q Waiting err && break; sleep 0.1; done
says "Waiting"
ends 0 "a waiting daemon"

# A configuration file, an environment variable, the command line: the later wins.
printf '{"brokers": "embedded", "topic": ["a"], "interval": "5s", "feed": "lines"}' > conf.json
printf 'x\n' > lines
KSTREAM_INTERVAL=3s exits 0 wordcount --config conf.json --topic test --print-config
python3 - out <<'P'
import json, sys
shown = json.load(open(sys.argv[1]))
assert shown["interval"] == {"value": ["3s"], "origin": "KSTREAM_INTERVAL"}, shown["interval"]
assert shown["topic"] == {"value": ["test"], "origin": "command line"}, shown["topic"]
assert shown["brokers"]["value"] == ["embedded"], shown["brokers"]
P
exits 0 wordcount --config conf.json -e --once
printf '{"intervall": "5s"}' > bad.json
exits 78 wordcount --config bad.json; says "did you mean 'interval'"

# The reader of the output goes away: quiet, and not for ever.
status=0
timeout 30 "$KSTREAM" wordcount --brokers embedded --topic test --feed lines --interval 100ms 2> err |
  head -n 1 > out || status=${PIPESTATUS[0]}
[[ $status == 141 ]] || fail "a closed pipe ends with $status"
! grep -q error err || fail "a closed pipe is complained of"

# SIGTERM and SIGINT: the batch in hand, then 0.
for signal in TERM INT; do
  launch "$KSTREAM" wordcount --brokers embedded --topic test --feed lines --interval 100ms > out
  for _ in $(seq 100); do grep -q "'x'" out && break; sleep 0.1; done
  ends 0 "SIG$signal" "$signal"
done

# Broker and producer as processes of their own; keys; null keys; a rate.
"$KSTREAM" broker --topic test:2 > address 2> err &
children+=("$!")
for _ in $(seq 100); do grep -q bootstrap address && break; sleep 0.1; done
brokers=$(sed -n "s/^bootstrap //p" address)
printf 'k:a b\nplain\n' | "$KSTREAM" produce -b "$brokers" -t test --key-separator : --rate 100 2> err
says "2 records acknowledged"
exits 0 wordcount -b "$brokers" -t test -o -5 -e --once --format tsv
tsv_sums < out > got
printf 'a\t1\nb\t1\nplain\t1\n' > want
same "what was produced" want got

# A topic by expression: from the beginning of its name.
"$KSTREAM" broker --topic part:1,party:2,apart:1 > address2 2> err &
children+=("$!")
for _ in $(seq 100); do grep -q bootstrap address2 && break; sleep 0.1; done
others=$(sed -n "s/^bootstrap //p" address2)
for topic in part party apart; do echo "$topic" | "$KSTREAM" produce -b "$others" -t "$topic" 2> err; done
exits 0 wordcount -b "$others" -t '^part' --from earliest -e --once --format tsv
tsv_sums < out > got
printf 'part\t1\nparty\t1\n' > want
same "topics by expression" want got
exits 66 wordcount -b "$others" -t '^q' --from earliest -e; says "none of the 3 topics"

exits 65 wordcount -b "$brokers" -t test --range test:0:0:99; says "99"
exits 64 wordcount -b "$brokers" -t test --range test:7:0:1; says "has 2 of them"

# State directories that cannot be one, before any broker is asked.
nobody=(-b 127.0.0.1:1 -t test)
exits 73 wordcount "${nobody[@]}" -e --state-dir /proc/kstream; says "/proc/kstream"
mkdir -m 755 open
exits 77 wordcount "${nobody[@]}" -e --state-dir open; says "chmod 700"
exits 64 wordcount -b embedded -t test --state-dir new; says "that broker forgets"
exits 64 wordcount "${nobody[@]}" --range test:0:0:1 --state-dir new; says "keeps no position"
launch "$KSTREAM" wordcount "${nobody[@]}" --state-dir held > out
holder=$daemon
wait_for 20 grep -qF 'Waiting for it' err || fail "it does not wait for brokers"
exits 75 wordcount "${nobody[@]}" -e --state-dir held; says "in use by process $holder"
kill -KILL "$holder"
wait "$holder" || true
exits 69 wordcount "${nobody[@]}" -e --state-dir held --startup-timeout 1s

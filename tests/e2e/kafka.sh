#!/usr/bin/env bash
# label: kafka
# Against a real Apache Kafka: exact counts of a million lines, while they are still being written,
# on a compacted topic, with aborted transactions, and by ranges.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work"
needs_kafka

lines 2 1000000 > big
text_sums < big > want
make_topic "big-$run" 8
"$KSTREAM" produce -b "$brokers" -t "big-$run" < big 2> err
exits 0 wordcount -b "$brokers" -t "big-$run" --from earliest -e --once --format tsv
tsv_sums < out > got
same "a million lines in 8 partitions" want got

# While the producer writes: many batches of a daemon, then the rest.
make_topic "live-$run" 8
launch "$KSTREAM" wordcount -b "$brokers" -t "live-$run" --from earliest --interval 500ms --format json > live
head -n 300000 big > part
"$KSTREAM" produce -b "$brokers" -t "live-$run" --rate 30000 < part 2> produce.err
json_records() { python3 -c 'import json, sys; print(sum(json.loads(l)["records"] for l in open(sys.argv[1])))' live; }
for _ in $(seq 100); do [[ $(json_records) != 300000 ]] || break; sleep 0.2; done
ends 0 "while the producer writes"
python3 - > got 2> batches <<'P'
import collections, json, sys
sums, ids, after = collections.Counter(), [], {}
for line in open("live"):
    batch = json.loads(line)
    ids.append(batch["batch"])
    for topic, partition, start, end in batch["ranges"]:
        assert after.setdefault(partition, start) == start, (partition, start)
        after[partition] = end
    for word, count in batch["counts"]:
        sums[word] += count
assert ids == list(range(1, len(ids) + 1)), ids
print(len(ids), file=sys.stderr)
for word in sorted(sums):
    print(word, sums[word], sep="\t")
P
text_sums < part > want
same "while it is being written" want got
(($(cat batches) >= 5)) || fail "only $(cat batches) batches: that shows nothing"

# A compacted topic has holes; the last offsets may be holes, too.
make_topic "compact-$run" 1 cleanup.policy=compact segment.ms=100 \
  min.cleanable.dirty.ratio=0.01 max.compaction.lag.ms=100
for round in 1 2 3; do
  for key in $(seq 20); do echo "k$key:r$round"; done |
    "$KSTREAM" produce -b "$brokers" -t "compact-$run" --key-separator : 2> err
  sleep 1
done
all_words() { kcat -C -b "$brokers" -t "compact-$run" -o beginning -e -q 2> err | text_sums; }
is_settled=
for _ in $(seq 60); do
  echo "last:last" | "$KSTREAM" produce -b "$brokers" -t "compact-$run" --key-separator : 2> err
  all_words > want
  exits 0 wordcount -b "$brokers" -t "compact-$run" --from earliest -e --once --format tsv
  all_words > after
  # Compared only if the broker did not compact between the two looks of kcat.
  if ! grep -q r1 want && cmp -s want after; then is_settled=1; break; fi
  sleep 1
done
[[ -n $is_settled ]] || fail "the broker did not compact within its time"
tsv_sums < out > got
same "a compacted topic" want got

# Offsets: 0 1 good, 2 marker, 3 4 5 bad, 6 marker, 7 good, 8 marker, 9 bad, 10 marker.
make_topic "txn-$run" 1
"$KSTREAM_TOOLS/transactions" "$brokers" "txn-$run" "txn-$run" \
  commit:good,good abort:bad,bad,bad commit:good abort:bad
exits 0 wordcount -b "$brokers" -t "txn-$run" --from earliest -e --once --format tsv
[[ $(tsv_sums < out) == $'good\t3' ]] || fail "aborted transactions: $(cat out)"
exits 0 wordcount -b "$brokers" -t "txn-$run" --from earliest -e --once --format tsv --read-uncommitted
[[ $(tsv_sums < out) == $'bad\t4\ngood\t3' ]] || fail "read uncommitted: $(cat out)"
# Ranges of one offset each: they end before and behind records that nobody sees.
exits 0 wordcount -b "$brokers" -t "txn-$run" --from earliest -e -i 20ms --max-rate-per-partition 50 --format json
python3 -c 'import json
batches = [json.loads(line) for line in open("out")]
assert [b["ranges"] for b in batches] == [[[b["ranges"][0][0], 0, i, i + 1]] for i, b in enumerate(batches)], batches
assert len(batches) == 11 and [b["records"] for b in batches] == [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0], batches
' || fail "ranges of one offset"
for case in 0:2:2 0:3:2 2:8:1 3:7:0 6:7:0 9:11:0; do
  IFS=: read -r from until count <<< "$case"
  exits 0 wordcount -b "$brokers" --range "txn-$run:0:$from:$until" --format json
  python3 -c 'import json, sys
batch = json.loads(open("out").read())
assert batch["records"] == int(sys.argv[1]) and batch["batch"] == 1, batch' "$count" || fail "range $case"
done
exits 65 wordcount -b "$brokers" --range "txn-$run:0:0:12"; says "0 to 11"

# A missing topic is not made by looking for it.
exits 66 wordcount -b "$brokers" -t "big-$run-no" --from earliest -e; says "big-$run-no"
! kcat -L -J -b "$brokers" | grep -qF "big-$run-no" || fail "the topic exists now"

#!/usr/bin/env bash
# label: kafka
# Positions are published: Kafka's own tool shows no lag after a batch that caught up, also where
# transactions end, and while the stream is idle; a stream can begin where a group is.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work"
needs_kafka
zookeeper=${KSTREAM_TEST_ZOOKEEPER:?the address of a ZooKeeper, as scripts/test gives it}

group=lag-$run
topic=lag-$run
make_topic "$topic" 2
seq 100 | "$KSTREAM" produce -b "$brokers" -t "$topic" 2> produce.err
"$KSTREAM_TOOLS/transactions" "$brokers" "$topic" "$topic" commit:good,good abort:bad,bad

# PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG of each partition
described() { kafka_tool consumer.group.ConsumerGroupCommand --describe --group "$group"; awk -v t="$topic" '$2 == t {print $3, $4, $5, $6}' java.out; }
no_lag() { [[ $(described | awk '$4 == 0 && $2 == $3' | wc -l) == 2 ]]; }

launch "$KSTREAM" wordcount -b "$brokers" -t "$topic" --from earliest -i 200ms --group "$group" \
  --zookeeper "$zookeeper/lag-$run" --format json > out
wait_for 30 no_lag || { cat err >&2; fail "there is a lag: $(described)"; }
seq 50 | "$KSTREAM" produce -b "$brokers" -t "$topic" 2> produce.err
caught_up() { [[ $(described | awk '{sum += $2} END {print sum}') == 156 ]] && no_lag; }
wait_for 30 caught_up || fail "there is a lag after more records: $(described)"
ends 0 "without a lag"

# Another one begins there: by ZooKeeper's positions, then by Kafka's, which the first has moved on.
seq 7 | "$KSTREAM" produce -b "$brokers" -t "$topic" 2> produce.err
count() { exits 0 wordcount -b "$brokers" -t "$topic" --from committed --group "$group" -e --once --format tsv "$@"; }
count --zookeeper "$zookeeper/lag-$run"
[[ $(tsv_sums < out | awk '{sum += $2} END {print sum}') == 7 ]] || fail "from ZooKeeper: $(cat out)"
count
[[ ! -s out ]] || fail "from the group: $(cat out)"

# A place to publish to that is not there holds nothing up.
exits 0 wordcount -b "$brokers" -t "$topic" --from earliest -e --once --format tsv --group "$group" --zookeeper 127.0.0.1:1
says "could not be published"
[[ $(tsv_sums < out | awk '{sum += $2} END {print sum}') == 159 ]] || fail "without ZooKeeper: $(cat out)"
exits 64 wordcount -b "$brokers" -t "$topic" --from committed; says "--group"
exits 64 wordcount -b "$brokers" -t "$topic" --zookeeper "$zookeeper"; says "--group"

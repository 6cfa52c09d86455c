"""Which offsets the streams of one group have counted, and how often.

  coverage.py [--no-log] ENDS REPORTED STREAM... > SUMS     a STREAM is FILE,FILE,... : its lives, in order

ENDS has TOPIC:PARTITION:END lines: what there is to be counted, from offset 0. REPORTED is what the
members said on standard error. A batch that was printed twice must be the same both times; a line
that was cut off is none. Within a stream ids count up by one, times go up, and no offset comes twice.
Over all streams each offset is counted; what two of them counted lies in what was reported. Without a log
(--no-log) a stream that gets a partition back may count an offset again itself; that is reported, too.
Prints WORD<TAB>COUNT lines, and on standard error the number of batches, of repeated ones, of
offsets counted more than once, of offsets reported.
"""
import collections
import json
import re
import sys

TWICE = re.compile(r"(\S+):(\d+): another member of the group took it over: "
                   r"offsets (\d+) to (\d+) may have been counted twice")

arguments = sys.argv[1:]
has_log = arguments[0] != "--no-log"
arguments = arguments[0 if has_log else 1:]
ends = {}
for line in open(arguments[0], encoding="utf-8"):
    topic, partition, end = line.rsplit(":", 2)
    ends[topic, int(partition)] = int(end)
counted = {key: bytearray(end) for key, end in ends.items()}
reported = {key: bytearray(end) for key, end in ends.items()}
for line in open(arguments[1], encoding="utf-8"):
    for topic, partition, first, last in TWICE.findall(line):
        if (topic, int(partition)) in reported:
            for offset in range(int(first), int(last) + 1):
                reported[topic, int(partition)][offset] = 1

sums, number, repeated = collections.Counter(), 0, 0
for stream in arguments[2:]:
    batches, own = {}, {key: bytearray(end) for key, end in ends.items()}
    for name in stream.split(","):
        for line in open(name, encoding="utf-8"):
            if not line.endswith("\n"):
                continue
            batch = json.loads(line)
            known = batches.setdefault(batch["batch"], batch)
            repeated += known is not batch
            assert known == batch, f"{stream}: batch {batch['batch']} differs from life to life"
    assert sorted(batches) == list(range(1, len(batches) + 1)), f"{stream}: ids {sorted(batches)}"
    number += len(batches)
    last_time = ""
    for _, batch in sorted(batches.items()):
        assert batch["time"].rstrip("Z") > last_time, f"{stream}: batch {batch['batch']}: its time"
        last_time = batch["time"].rstrip("Z")
        for topic, partition, start, end in batch["ranges"]:
            here = own[topic, partition]
            assert end <= len(here), f"{stream}: {topic}:{partition} {end} of {len(here)}"
            assert not (has_log and any(here[start:end])), \
                f"{stream}: {topic}:{partition} {start} to {end}: again"
            here[start:end] = bytes(times + 1 for times in here[start:end])
        assert batch["records"] == sum(end - start for _, _, start, end in batch["ranges"])
        for word, count in batch["counts"]:
            sums[word] += count
    for key, here in own.items():
        counted[key] = bytearray(a + b for a, b in zip(counted[key], here))

twice = 0
for (topic, partition), here in counted.items():
    missing = [offset for offset, times in enumerate(here) if times == 0]
    assert not missing, f"{topic}:{partition}: {len(missing)} missing, {missing[0]} to {missing[-1]}"
    again = [offset for offset, times in enumerate(here) if times > 1]
    twice += sum(here[offset] - 1 for offset in again)
    unsaid = [offset for offset in again if not reported[topic, partition][offset]]
    assert not unsaid, (f"{topic}:{partition}: {len(unsaid)} of {len(again)} counted twice and not "
                        f"reported, {unsaid[0]} to {unsaid[-1]}")
for word, count in sums.items():
    print(word, count, sep="\t")
print(number, repeated, twice, sum(map(sum, reported.values())), file=sys.stderr)

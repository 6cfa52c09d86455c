"""Adds up the JSON lines of the lives of one stream, and checks that they belong together.

  batches.py FILE... > SUMS      in the order of the lives

A batch that was printed twice, because its first life ended before it was committed, must be the same
both times; a line that was cut off is none. Ids count up by one, times go up, ranges are contiguous.
Prints WORD<TAB>COUNT lines, and on standard error the number of batches and of repeated ones.
"""
import collections
import json
import sys

batches, repeated = {}, 0
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                continue
            batch = json.loads(line)
            known = batches.setdefault(batch["batch"], batch)
            repeated += known is not batch
            assert known == batch, f"batch {batch['batch']} differs from life to life"

sums, after, last_time = collections.Counter(), {}, ""
assert sorted(batches) == list(range(1, len(batches) + 1)), f"ids {sorted(batches)}"
for number in sorted(batches):
    batch = batches[number]
    assert batch["time"].rstrip("Z") > last_time, f"batch {number}: its time is not later"
    last_time = batch["time"].rstrip("Z")
    for topic, partition, start, end in batch["ranges"]:
        expected = after.get((topic, partition), start)
        assert expected == start, f"batch {number}: {topic}:{partition} {expected} then {start}"
        after[topic, partition] = end
    for word, count in batch["counts"]:
        sums[word] += count
for word, count in sums.items():
    print(word, count, sep="\t")
print(len(batches), repeated, file=sys.stderr)

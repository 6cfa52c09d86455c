"""Holds what Kafka's console consumer printed of a topic against the JSON lines of the lives of a stream.

  topic_batches.py CONSUMED FILE... > SUMS

Each batch of the lives is there whole, each word of it once, and nothing else is there. Prints
WORD<TAB>COUNT lines of the topic, and on standard error the number of batches.
"""
import collections
import json
import sys

printed = {}
for name in sys.argv[2:]:
    with open(name, encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                batch = json.loads(line)
                printed[batch["batch"]] = batch

found, sums = collections.defaultdict(dict), collections.Counter()
with open(sys.argv[1], encoding="utf-8") as file:
    for line in file:
        headers, word, count = line.rstrip("\n").split("\t")
        number, time = (header.partition(":")[2] for header in headers.split(",", 1))
        batch = found[int(number)]
        assert word not in batch, f"batch {number} has {word!r} twice"
        batch[word] = int(count)
        sums[word] += int(count)
        assert printed[int(number)]["time"] == time, f"batch {number}: {time}"
assert sorted(found) == list(range(1, len(found) + 1)), f"ids {sorted(found)}"
for number, batch in printed.items():
    assert found.get(number, {}) == dict(batch["counts"]), f"batch {number} differs"
for word, count in sums.items():
    print(word, count, sep="\t")
print(len(found), file=sys.stderr)

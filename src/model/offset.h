// Positions in Kafka's logs.
//
// An Offset is always the position of the next record: a range [from, until) holds the records
// whose offsets are at least `from` and below `until`. Offsets that no record has (control records,
// compaction, aborted transactions) are ordinary members of a range.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace kstream {

using Offset = std::int64_t;

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

using OffsetMap = std::map<TopicPartition, Offset>;

struct OffsetRange {
  TopicPartition partition;
  Offset from = 0;
  Offset until = 0;
  bool is_empty() const { return from == until; }
  bool operator==(const OffsetRange&) const = default;
};

// The first and the next offset of a log, as a reader of the chosen isolation sees them.
struct LogBounds {
  Offset start = 0;
  Offset end = 0;
};
using LogBoundsMap = std::map<TopicPartition, LogBounds>;

// The partitions of an OffsetMap or a LogBoundsMap, in order.
template <class Map>
std::vector<TopicPartition> partitions_of(const Map& map) {
  std::vector<TopicPartition> partitions;
  partitions.reserve(map.size());
  for (const auto& [partition, value] : map) {
    partitions.push_back(partition);
  }
  return partitions;
}

// A place in the logs as people name it: where to start, where to stop.
struct Earliest {
  bool operator==(const Earliest&) const = default;
};
struct Latest {
  bool operator==(const Latest&) const = default;
};
struct LastRecords {  // the last `count` offsets of each partition
  std::int64_t count = 0;
  bool operator==(const LastRecords&) const = default;
};
struct AtTime {         // the first record of each partition that is as late as this
  std::int64_t ms = 0;  // since 1970-01-01 UTC
  bool operator==(const AtTime&) const = default;
};
struct Ago {  // the same, as long before the start
  std::chrono::milliseconds duration{};
  bool operator==(const Ago&) const = default;
};
struct GroupPosition {  // where a consumer group's committed offsets are
  bool operator==(const GroupPosition&) const = default;
};
using Place = std::variant<Earliest, Latest, LastRecords, OffsetMap, AtTime, Ago, GroupPosition>;

// "test:0"
std::string to_string(const TopicPartition& partition);
// "test:0 [5120, 5310)"
std::string to_string(const OffsetRange& range);

}  // namespace kstream

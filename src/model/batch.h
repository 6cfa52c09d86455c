// One interval's work: what it covers, and what it came to.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/offset.h"

namespace kstream {

// Counts up by one from 1 within a stream and never stands for two contents.
using BatchId = std::int64_t;
// Milliseconds since 1970-01-01 UTC: the boundary that ends the interval.
using BatchTime = std::int64_t;

struct BatchPlan {
  std::optional<BatchId> id;  // nothing when all ranges are empty: such a batch is never stored
  BatchTime time_ms = 0;
  std::vector<OffsetRange> ranges;  // by topic, then partition; empty ranges included
  bool operator==(const BatchPlan&) const = default;
};

// Where each of its partitions stands after the batch.
inline OffsetMap offsets_after(const BatchPlan& plan) {
  OffsetMap next;
  for (const OffsetRange& range : plan.ranges) {  // the last one, if a partition has several
    next[range.partition] = range.until;
  }
  return next;
}

struct WordCount {
  std::string_view word;  // any bytes
  std::uint64_t count = 0;
};

struct CountTotals {
  std::uint64_t records = 0;
  std::uint64_t nulls = 0;    // records without a value: no words
  std::uint64_t invalid = 0;  // records that did not decode, whatever became of them
  std::uint64_t words = 0;    // counted: those that a filter took out are not
  std::uint64_t dropped = 0;  // records for which a handler returned nothing
  CountTotals& operator+=(const CountTotals& other) {
    records += other.records;
    nulls += other.nulls;
    invalid += other.invalid;
    words += other.words;
    dropped += other.dropped;
    return *this;
  }
  bool operator==(const CountTotals&) const = default;
};

// The words of a batch, each distinct one once, in no order that means anything.
class CountedWords {
 public:
  virtual ~CountedWords() = default;

  virtual std::uint64_t size() const = 0;
  // Whether the words stay where they are until the batch ends; else only during a visit.
  virtual bool are_kept() const = 0;
  // All of them, some at a time, as often as wanted. The first error of a visit ends it; it may
  // also have errors of its own (74: they are on a disk).
  using Visit = std::function<Status(std::span<const WordCount>)>;
  virtual Status for_each(const Visit& visit) const = 0;
};

// What a sink gets: valid during the call.
struct BatchResult {
  const BatchPlan& plan;
  std::chrono::milliseconds interval{};
  CountTotals totals;
  const CountedWords& counts;
};

}  // namespace kstream

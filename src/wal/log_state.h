// Where a log stands after a frame: the value that a STATE frame holds, how each other frame
// changes it, and the payloads of them all.
//
// Pure. Errors: 65 with the rule that a payload breaks; the caller names file and byte.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/batch.h"
#include "model/offset.h"

namespace kstream::wal {

// Where a RECORDS frame lies.
struct FramePlace {
  std::uint64_t segment = 0;
  std::uint64_t at = 0;
  std::uint32_t bytes = 0;
  bool operator==(const FramePlace&) const = default;
};

struct LoggedBlock {
  OffsetRange covers;
  std::uint32_t records = 0;
  FramePlace place;
  bool operator==(const LoggedBlock&) const = default;
};

// Topics by small numbers, which stand for them in the other payloads. Only ever grows.
class Topics {
 public:
  // The topic's number; a new one when it has none.
  std::uint64_t add(const std::string& name);
  std::uint64_t number_of(const std::string& name) const { return numbers_.at(name); }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::uint64_t> numbers_;
};

// A segment on the disk, and what keeps it there.
struct Segment {
  std::uint64_t number = 0;
  std::uint64_t seed = 0;
  std::uint64_t bytes = 0;      // of the file
  std::uint64_t unplanned = 0;  // RECORDS frames that no batch owns,
  std::uint64_t planned = 0;    // that the batch in hand owns
  OffsetMap ends;               // of its RECORDS frames
};

struct LogState {
  Topics topics;
  OffsetMap ends;              // largest `until` of each partition ever seen
  OffsetMap acknowledged;      // last commits of each partition, as far as they are logged
  BatchId last_batch = 0;      // planned, processed or not; 0: none
  BatchTime last_time_ms = 0;  // its time
  std::optional<std::vector<OffsetRange>> in_hand;  // its ranges, until it is processed
  std::uint64_t unplanned = 0;                      // RECORDS frames in all segments
  std::uint64_t planned = 0;
  std::vector<Segment> segments;  // not in a STATE frame; oldest first

  void log(const OffsetRange& covers);
  void plan(const BatchPlan& plan);
  void process();
  void acknowledge(const OffsetMap& committed);
};

std::string encode_state(const LogState& state);
Result<LogState> decode_state(std::string_view payload);

// The part before the block's content.
std::string encode_records(const Topics& topics, const OffsetRange& covers);
struct RecordsPayload {
  std::uint64_t topic = 0;
  std::int32_t partition = 0;
  Offset from = 0;
  Offset until = 0;
  std::string_view content;  // of the block
};
Result<RecordsPayload> decode_records(std::string_view payload);

std::string encode_batch(const Topics& topics, const BatchPlan& plan);
Result<BatchPlan> decode_batch(const Topics& topics, std::string_view payload);

std::string encode_processed(BatchId id);
Result<BatchId> decode_processed(std::string_view payload);

std::string encode_offsets(const Topics& topics, const OffsetMap& offsets);
Result<OffsetMap> decode_offsets(const Topics& topics, std::string_view payload);

}  // namespace kstream::wal

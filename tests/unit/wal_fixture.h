// What the tests of the log have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "quiet.h"
#include "simulated_disk.h"
#include "wal/write_ahead_log.h"

namespace kstream::wal {

inline constexpr const char* kStream = "6f1c9d1e-4b0a-4e55-9c3b-0f5f6d1f2a3b";
inline constexpr const char* kLogDirectory = "state/wal";

class StoppedClock final : public Clock {
 public:
  std::int64_t wall_ms() override { return now_ms; }
  std::int64_t steady_ms() override { return now_ms; }
  void wait(std::chrono::milliseconds, const std::stop_token&) override {}
  std::int64_t now_ms = 1514260200000;
};

// A block with a record for each of the offsets, whose values say the offset.
inline void fill(RecordBlock& block, const TopicPartition& partition,
                 const std::vector<Offset>& offsets, std::size_t value_bytes = 0) {
  block.start(partition);
  for (const Offset offset : offsets) {
    std::string value = std::to_string(offset);
    value.resize(std::max(value.size(), value_bytes), ' ');
    REQUIRE(block.append({offset, 1514260200000 + offset, std::nullopt, value}));
  }
}

inline std::vector<Offset> offsets_in(const RecordBlock& block) {
  std::vector<Offset> offsets;
  RecordBlock::Reader reader(block);
  while (const RecordView* record = reader.next()) {
    if (std::stoll(std::string(*record->value)) != record->offset) {
      FAIL("the record of " << record->offset << " holds another's value");
    }
    offsets.push_back(record->offset);
  }
  return offsets;
}

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace kstream::wal

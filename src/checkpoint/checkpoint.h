// Where a direct stream stands: what is committed, and what is about to be read.
//
// Pure: the value, its text, its rules. docs/FORMATS.md has the text with an example.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/batch.h"
#include "model/offset.h"

namespace kstream {

struct Committed {
  BatchId batch = 0;      // the last one that every sink has; 0: none yet
  BatchTime time_ms = 0;  // its time
  OffsetMap next;         // where the one after it begins
  bool operator==(const Committed&) const = default;
};

struct Checkpoint {
  std::string stream;           // the uuid of the stream, as in IDENTITY
  std::int64_t generation = 0;  // counts the replacements of the file
  Committed committed;
  // Durable before its first record is read, and read again, unchanged, after a crash.
  std::optional<BatchPlan> intent;
  bool operator==(const Checkpoint&) const = default;
};

std::string encode(const Checkpoint& checkpoint);

// Errors: 65 with the rule that the text breaks. Nothing is guessed: the text must be the very one
// that encode() makes of what it holds.
Result<Checkpoint> decode_checkpoint(std::string_view text);

}  // namespace kstream

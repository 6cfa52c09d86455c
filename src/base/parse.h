// Texts that people write to numbers and durations. Nothing is guessed: what does not parse whole
// is an Error (64) whose text names the value and shows what is accepted.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kstream {

// A decimal integer in [min, max].
Result<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max);

// "500ms", "2s", "1m", "1h"; at least 1 ms, at most 10 days. A number without unit is refused.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// "512MiB", "1GiB", "64KiB", "4096B"; at least 1 byte. A number without unit is refused.
Result<std::int64_t> parse_bytes(std::string_view text);

// "2026-01-31T10:00Z", "2026-01-31T10:00:30+01:00": milliseconds since 1970-01-01 UTC. A time
// without zone is refused.
Result<std::int64_t> parse_time(std::string_view text);

// The shortest text that parse_duration reads as this value.
std::string duration_text(std::chrono::milliseconds duration);

// The parts between separators, empty ones included: "a,,b" gives "a", "", "b".
std::vector<std::string_view> split_list(std::string_view text, char separator);

// The text without the byte order mark that some editors put before it.
std::string_view without_byte_order_mark(std::string_view text);

}  // namespace kstream

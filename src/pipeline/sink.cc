#include "pipeline/sink.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <string>

namespace kstream {

std::uint64_t fingerprint(const BatchPlan& plan) {
  std::string text = fmt::format("{} {}", plan.id.value_or(0), plan.time_ms);
  for (const OffsetRange& range : plan.ranges) {
    text += fmt::format(" {}:{}:{}:{}", range.partition.topic, range.partition.partition,
                        range.from, range.until);
  }
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace kstream

#include "model/offset.h"

#include <fmt/format.h>

namespace kstream {

std::string to_string(const TopicPartition& partition) {
  return fmt::format("{}:{}", partition.topic, partition.partition);
}

std::string to_string(const OffsetRange& range) {
  return fmt::format("{} [{}, {})", to_string(range.partition), range.from, range.until);
}

}  // namespace kstream

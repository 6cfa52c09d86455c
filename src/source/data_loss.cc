#include "source/data_loss.h"

#include <fmt/format.h>

namespace kstream {

std::vector<Loss> find_losses(const OffsetMap& next, const LogBoundsMap& logs) {
  std::vector<Loss> losses;
  for (const auto& [partition, position] : next) {
    const auto log = logs.find(partition);
    if (log != logs.end() && (position < log->second.start || position > log->second.end)) {
      losses.push_back({partition, position, log->second});
    }
  }
  return losses;
}

std::vector<Loss> find_losses(const BatchPlan& intent, const LogBoundsMap& logs) {
  std::vector<Loss> losses;
  for (const OffsetRange& range : intent.ranges) {
    const auto log = logs.find(range.partition);
    if (range.is_empty() || log == logs.end()) {
      continue;
    }
    if (range.from < log->second.start || range.until > log->second.end) {
      losses.push_back({range.partition, range.from, log->second});
    }
  }
  return losses;
}

std::string describe(const Loss& loss) {
  if (loss.next < loss.log.start) {
    return fmt::format("{}: offsets {} to {} are gone (the log has {} to {})",
                       to_string(loss.partition), loss.next, loss.log.start - 1, loss.log.start,
                       loss.log.end);
  }
  return fmt::format(
      "{}: the position is {}, but the log has {} to {}: it was cut off, the topic was made anew, "
      "or this is another cluster",
      to_string(loss.partition), loss.next, loss.log.start, loss.log.end);
}

Error data_loss(const std::vector<Loss>& losses) {
  return Error{
      ExitCode::kData,
      fmt::format(
          "data loss: {}{}. Nothing was read beyond the last batch, and the "
          "position is unchanged. To go on at the start of the log: "
          "--on-data-loss skip.",
          describe(losses.front()),
          losses.size() > 1 ? fmt::format("; and {} more partitions", losses.size() - 1) : "")};
}

}  // namespace kstream

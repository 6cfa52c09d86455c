#include "source/range_planner.h"

#include <fmt/format.h>

#include <algorithm>

namespace kstream {
namespace {

Status check_named(const OffsetMap& named, const LogBoundsMap& logs) {
  for (const auto& [partition, offset] : named) {
    const auto log = logs.find(partition);
    if (log == logs.end()) {
      const auto count = std::count_if(
          logs.begin(), logs.end(),
          [&topic = partition.topic](const auto& entry) { return entry.first.topic == topic; });
      return Error{
          ExitCode::kUsage,
          fmt::format("{}: there is no such partition among those that are read; topic '{}' "
                      "has {} of them. Nothing was read. Check the number.",
                      to_string(partition), partition.topic, count)};
    }
    const LogBounds& bounds = log->second;
    if (offset < bounds.start || offset > bounds.end) {
      return Error{
          ExitCode::kData,
          fmt::format("{}: offset {} is wanted, the log has {} to {}. Nothing was read. {}",
                      to_string(partition), offset, bounds.start, bounds.end,
                      offset > bounds.end
                          ? "Wait until the records are there, or choose an end that "
                            "is."
                          : "The records are gone: choose a later start.")};
    }
  }
  return {};
}

Offset offset_at(const Place& place, const LogBounds& log) {
  if (std::holds_alternative<Earliest>(place)) {
    return log.start;
  }
  if (const auto* last = std::get_if<LastRecords>(&place)) {
    return std::max(log.start, log.end - last->count);
  }
  return log.end;
}

}  // namespace

std::vector<OffsetRange> plan_ranges(const OffsetMap& next, const OffsetMap& ends) {
  std::vector<OffsetRange> ranges;
  ranges.reserve(next.size());
  for (const auto& [partition, from] : next) {
    const auto end = ends.find(partition);
    const Offset until = end == ends.end() ? from : std::max(from, end->second);
    ranges.push_back({partition, from, until});
  }
  return ranges;
}

OffsetMap resolve(const Place& place, const LogBoundsMap& logs) {
  OffsetMap offsets;
  for (const auto& [partition, log] : logs) {
    offsets[partition] = offset_at(place, log);
  }
  return offsets;
}

Result<OffsetMap> resolve(const OffsetMap& named, const LogBoundsMap& logs) {
  KS_TRY(check_named(named, logs));
  OffsetMap offsets = named;
  offsets.merge(resolve(Latest{}, logs));
  return offsets;
}

}  // namespace kstream

#include "source/positions.h"

#include <fmt/format.h>

#include <utility>

#include "source/range_planner.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

Status check_order(const OffsetMap& next, const OffsetMap& ends) {
  for (const auto& [partition, end] : ends) {
    if (next.at(partition) > end) {
      return Error{ExitCode::kUsage,
                   fmt::format("{}: the start, offset {}, lies behind the end, offset {}. Nothing "
                               "was read. Exchange --from and --until.",
                               to_string(partition), next.at(partition), end)};
    }
  }
  return {};
}

}  // namespace

Result<std::vector<TopicPartition>> PositionFinder::partitions_now() {
  return view_.partitions(options_.topics, kafka::MissingTopic::kLeftOut);
}

Result<std::vector<TopicPartition>> PositionFinder::partitions() {
  Result<std::vector<TopicPartition>> partitions =
      view_.partitions(options_.topics, kafka::MissingTopic::kError);
  if (!partitions.ok()) {
    KS_TRY(note_missing());
  }
  return partitions;
}

Result<Positions> PositionFinder::find(const OffsetMap* stored) {
  KS_TRY_VALUE(partitions, this->partitions());
  KS_TRY_VALUE(logs, view_.log_bounds(partitions));
  if (!options_.ranges.empty()) {
    return find_ranges(logs);
  }
  Positions found;
  if (stored != nullptr) {
    found.next = *stored;
  } else {
    KS_TRY_VALUE(next, start(logs));
    found.next = std::move(next);
  }
  if (options_.until) {
    KS_TRY_VALUE(ends, at(*options_.until, logs));
    if (stored == nullptr) {
      KS_TRY(check_order(found.next, ends));
    }
    found.final_ends = std::move(ends);
  }
  return found;
}

Status PositionFinder::note_missing() {
  for (const std::string& topic : options_.topics) {
    KS_TRY_VALUE(partitions, view_.partitions({&topic, 1}, kafka::MissingTopic::kLeftOut));
    if (partitions.empty() && !topic.starts_with('^')) {
      missed_.insert(topic);
    }
  }
  return {};
}

Result<OffsetMap> PositionFinder::start(const LogBoundsMap& logs) {
  KS_TRY_VALUE(next, at(options_.from, logs));
  if (options_.from == Place(Latest{})) {
    for (auto& [partition, offset] : next) {
      if (missed_.contains(partition.topic)) {
        offset = logs.at(partition).start;
      }
    }
  }
  return next;
}

Result<OffsetMap> PositionFinder::at(const Place& place, const LogBoundsMap& logs) {
  if (const auto* named = std::get_if<OffsetMap>(&place)) {
    return resolve(*named, logs);
  }
  if (const auto* time = std::get_if<AtTime>(&place)) {
    return view_.offsets_at(partitions_of(logs), time->ms);
  }
  if (const auto* ago = std::get_if<Ago>(&place)) {
    return view_.offsets_at(partitions_of(logs), clock_.wall_ms() - ago->duration.count());
  }
  if (std::holds_alternative<GroupPosition>(place)) {
    KS_TRY_VALUE(committed, options_.committed(partitions_of(logs)));
    log::info("{} of {} partitions have a committed offset; the others begin at their end",
              committed.size(), logs.size());
    return resolve(committed, logs);
  }
  return resolve(place, logs);
}

Result<Positions> PositionFinder::find_ranges(const LogBoundsMap& logs) {
  OffsetMap from;
  OffsetMap until;
  for (const OffsetRange& range : options_.ranges) {
    from[range.partition] = range.from;
    until[range.partition] = range.until;
  }
  KS_TRY(resolve(from, logs));
  KS_TRY(resolve(until, logs));
  return Positions{std::move(from), std::move(until)};
}

}  // namespace kstream

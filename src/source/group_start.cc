#include "source/group_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "telemetry/log.h"

namespace kstream {

Result<StartDecision> decide_start(const TopicPartition& partition,
                                   const std::optional<kafka::Committed>& committed,
                                   const std::optional<HeldPosition>& held,
                                   const std::string& stream, bool has_log, Offset otherwise) {
  const Offset end = held ? held->end : 0;
  if (!committed) {
    return StartDecision{held ? end : otherwise, std::nullopt};
  }
  const bool is_ours = committed->metadata == stream;
  if (has_log && is_ours && committed->next > end) {
    return Error{
        ExitCode::kData,
        fmt::format("{}: this stream has committed offset {}, but its log ends at {}: {} "
                    "offsets were lost with the log. Nothing was received. Put the right "
                    "--state-dir back; or set the group's offset to {} with "
                    "kafka-consumer-groups, and they are received again.",
                    to_string(partition), committed->next, end, committed->next - end, end)};
  }
  StartDecision decision{std::max(committed->next, end), std::nullopt};
  if (held && !is_ours && held->acknowledged.value_or(0) < end) {
    decision.possible_repeats = {partition, held->acknowledged.value_or(0), end};
  }
  return decision;
}

GroupStart::GroupStart(kafka::ClusterView& view, PositionFinder& finder, GroupStartOptions options)
    : view_(view), finder_(finder), options_(std::move(options)) {}

void GroupStart::note_existing(std::vector<TopicPartition> partitions) {
  std::lock_guard lock(mutex_);
  existing_.insert(partitions.begin(), partitions.end());
}

Result<OffsetMap> GroupStart::find(const kafka::CommittedMap& committed,
                                   const std::map<TopicPartition, HeldPosition>& held) {
  std::lock_guard lock(mutex_);
  const Result<LogBoundsMap> bounds = view_.log_bounds(partitions_of(committed));
  if (!bounds.ok()) {
    // The group knows partitions that are new before our view of the cluster does.
    const Error& error = bounds.error();
    return Error{error.code, error.text, error.is_transient || error.code == ExitCode::kNoInput};
  }
  const LogBoundsMap& logs = bounds.value();
  KS_TRY_VALUE(others, otherwise(logs));
  OffsetMap starts;
  for (const auto& [partition, position] : committed) {
    const auto known = held.find(partition);
    const auto of_log = known == held.end() ? std::nullopt : std::optional(known->second);
    KS_TRY_VALUE(decision, decide_start(partition, position, of_log, options_.stream,
                                        options_.has_log, others.at(partition)));
    if (decision.possible_repeats) {
      report_possible_repeats(*decision.possible_repeats);
    }
    KS_TRY_VALUE(start, accept(partition, decision.start, logs.at(partition)));
    starts[partition] = start;
  }
  return starts;
}

// Where those start that nobody has committed anything of.
Result<OffsetMap> GroupStart::otherwise(const LogBoundsMap& logs) {
  KS_TRY_VALUE(starts, finder_.start(logs));
  for (auto& [partition, start] : starts) {
    if (!existing_.contains(partition)) {
      start = logs.at(partition).start;
    }
  }
  return starts;
}

Result<Offset> GroupStart::skip_lost(const TopicPartition& partition, Offset wanted) {
  std::lock_guard lock(mutex_);
  KS_TRY_VALUE(logs, view_.log_bounds({&partition, 1}));
  return accept(partition, wanted, logs.at(partition));
}

Result<Offset> GroupStart::accept(const TopicPartition& partition, Offset start,
                                  const LogBounds& log) {
  if (start >= log.start && start <= log.end) {
    return start;
  }
  const Loss loss{partition, start, log};
  if (options_.on_data_loss == OnDataLoss::kFail || (options_.has_log && start > log.end)) {
    return data_loss({loss});
  }
  log::warning("{}. Going on at {}.", describe(loss), log.start);
  return log.start;
}

void GroupStart::report_possible_repeats(const OffsetRange& range) {
  log::warning(
      "{}: another member of the group took it over: offsets {} to {} may have been counted twice, "
      "here and there",
      to_string(range.partition), range.from, range.until - 1);
}

}  // namespace kstream

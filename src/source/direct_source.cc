#include "source/direct_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "source/range_planner.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

constexpr auto kRetryPause = std::chrono::milliseconds(500);
constexpr std::int64_t kComplainEveryMs = 60'000;
// A topic that was just made is not known to every broker at once.
constexpr std::int64_t kTopicAppearsMs = 2'000;
constexpr auto kFeedPause = std::chrono::milliseconds(5);

bool has_records(const std::vector<OffsetRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [](const OffsetRange& range) { return !range.is_empty(); });
}

}  // namespace

DirectSource::DirectSource(kafka::ClusterView& view, kafka::ReaderPool& readers, Clock& clock,
                           DirectSourceOptions options)
    : view_(view), readers_(readers), clock_(clock), options_(std::move(options)) {}

Result<bool> DirectSource::start(const Stop& stop) {
  const std::int64_t started_ms = clock_.steady_ms();
  std::optional<std::int64_t> topic_missing_since_ms;
  std::int64_t next_complaint_ms = started_ms;
  while (!stop.drain.stop_requested()) {
    const Status found = find_positions();
    if (found.ok()) {
      return true;
    }
    const Error& error = found.error();
    const std::int64_t now_ms = clock_.steady_ms();
    if (error.code != ExitCode::kNoInput) {
      topic_missing_since_ms.reset();
    } else if (!topic_missing_since_ms) {
      topic_missing_since_ms = now_ms;
    }
    const bool is_bounded = options_.startup_timeout.has_value();
    if (!error.is_transient ||
        (is_bounded && now_ms - started_ms >= options_.startup_timeout->count()) ||
        (is_bounded && topic_missing_since_ms &&
         now_ms - *topic_missing_since_ms >= kTopicAppearsMs)) {
      return error;
    }
    // A bounded run says it once, when it ends; a missing topic may appear within its grace.
    if (!is_bounded && now_ms >= next_complaint_ms) {
      log::warning("{} Waiting for it.", error.text);
      next_complaint_ms = now_ms + kComplainEveryMs;
    }
    clock_.wait(kRetryPause, stop.drain);
  }
  return false;
}

Status DirectSource::find_positions() {
  KS_TRY_VALUE(partitions, view_.partitions(options_.topics));
  KS_TRY_VALUE(logs, view_.log_bounds(partitions));
  if (!options_.ranges.empty()) {
    KS_TRY(find_named_ranges(logs));
  } else {
    KS_TRY_VALUE(next, resolve(options_.from, logs, Latest{}));
    if (options_.until) {
      KS_TRY_VALUE(final_ends, resolve(*options_.until, logs, Latest{}));
      for (const auto& [partition, end] : final_ends) {
        if (next.at(partition) > end) {
          return Error{
              ExitCode::kUsage,
              fmt::format("{}: the start, offset {}, lies behind the end, offset {}. Nothing "
                          "was read. Exchange --from and --until.",
                          to_string(partition), next.at(partition), end)};
        }
      }
      final_ = std::move(final_ends);
    }
    next_ = std::move(next);
  }
  partitions_.clear();
  for (const auto& [partition, offset] : next_) {
    partitions_.push_back(partition);
  }
  return {};
}

Status DirectSource::find_named_ranges(const LogBoundsMap& logs) {
  OffsetMap from;
  OffsetMap until;
  for (const OffsetRange& range : options_.ranges) {
    from[range.partition] = range.from;
    until[range.partition] = range.until;
  }
  KS_TRY(resolve(from, logs, Latest{}));
  KS_TRY(resolve(until, logs, Latest{}));
  next_ = std::move(from);
  final_ = std::move(until);
  return {};
}

Result<std::optional<BatchPlan>> DirectSource::plan(BatchTime time, const Stop& stop) {
  if (planned_) {
    return planned_;
  }
  while (true) {
    if (!is_first_ && is_at_end()) {
      return std::optional<BatchPlan>();
    }
    KS_TRY_VALUE(ends, ends_now());
    BatchPlan plan{std::nullopt, time, plan_ranges(next_, ends)};
    if (has_records(plan.ranges)) {
      plan.id = last_id_ + 1;
    } else if (options_.final_ends && !is_at_end() && !stop.drain.stop_requested()) {
      // A bounded run that is ahead of what feeds it has no interval to show as empty.
      clock_.wait(kFeedPause, stop.drain);
      continue;
    }
    is_first_ = false;
    planned_ = std::move(plan);
    return planned_;
  }
}

Status DirectSource::read(const BatchPlan& plan, BlockExchange& blocks,
                          const std::stop_token& abort) {
  return readers_.read(plan.ranges, blocks, abort);
}

Status DirectSource::complete(const BatchPlan& plan) {
  for (const OffsetRange& range : plan.ranges) {
    next_[range.partition] = range.until;
  }
  last_id_ = plan.id.value_or(last_id_);
  planned_.reset();
  return {};
}

Result<OffsetMap> DirectSource::ends_now() {
  if (!final_ && options_.final_ends) {
    final_ = options_.final_ends();
  }
  if (final_) {
    return *final_;
  }
  return view_.log_ends(partitions_);
}

bool DirectSource::is_at_end() const {
  return final_ && std::all_of(final_->begin(), final_->end(), [this](const auto& entry) {
           return next_.at(entry.first) >= entry.second;
         });
}

}  // namespace kstream

#include "source/direct_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "source/range_planner.h"
#include "source/startup.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

constexpr auto kFeedPause = std::chrono::milliseconds(5);

bool has_records(const std::vector<OffsetRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [](const OffsetRange& range) { return !range.is_empty(); });
}

OffsetMap ends_of(const LogBoundsMap& logs) {
  OffsetMap ends;
  for (const auto& [partition, log] : logs) {
    ends[partition] = log.end;
  }
  return ends;
}

}  // namespace

DirectSource::DirectSource(kafka::ClusterView& view, kafka::ReaderPool& readers,
                           CheckpointStore& store, Clock& clock, DirectSourceOptions options)
    : view_(view),
      readers_(readers),
      store_(store),
      clock_(clock),
      options_(std::move(options)),
      finder_(view, clock, options_.positions),
      watch_(view, finder_, store, clock, options_.watch) {
  if (options_.rates) {
    limiter_.emplace(*options_.rates);
  }
}

Result<bool> DirectSource::start(const std::optional<StoredState>& stored,
                                 const std::string& state_dir, const Stop& stop) {
  if (stored) {
    store_.resume(stored->checkpoint);
  }
  KS_TRY_VALUE(is_open, open_patiently([&] { return open(stored, state_dir); },
                                       options_.startup_timeout, clock_, stop));
  if (is_open) {
    publish();
  }
  return is_open;
}

Status DirectSource::open(const std::optional<StoredState>& stored, const std::string& state_dir) {
  Identity identity = options_.identity;
  if (!state_dir.empty()) {
    KS_TRY_VALUE(cluster, view_.cluster_id());
    identity.cluster = std::move(cluster);
  }
  if (stored) {
    KS_TRY(check_same(stored->identity, identity, state_dir));
    KS_TRY(watch_.discover());
  }
  KS_TRY_VALUE(positions, finder_.find(stored ? &next() : nullptr));
  final_ = std::move(positions.final_ends);
  if (stored) {
    log::info("{}: going on after batch {}{}", state_dir, stored->checkpoint.committed.batch,
              stored->checkpoint.intent ? ", with the batch that was in hand" : "");
    return {};
  }
  return store_.begin(identity, positions.next);
}

Result<std::optional<BatchPlan>> DirectSource::plan(BatchTime time, const Stop& stop) {
  planned_ms_ = clock_.steady_ms();
  KS_TRY_VALUE(is_there, check_intent());
  if (is_there) {
    return store_.now().intent;
  }
  while (true) {
    if (!is_first_ && is_at_end()) {
      return std::optional<BatchPlan>();
    }
    KS_TRY_VALUE(ends, ends_now());
    // A plan that was given up has used up a time, too.
    const BatchTime own_time = std::max(time, store_.now().committed.time_ms + 1);
    BatchPlan plan{std::nullopt, own_time, plan_ranges(next(), ends)};
    if (has_records(plan.ranges)) {
      plan.id = store_.now().committed.batch + 1;
      KS_TRY(store_.intend(plan));
      is_intent_checked_ = true;
      delay_ms_ = std::max<std::int64_t>(clock_.wall_ms() - own_time, 0);
    } else if (options_.final_ends && !is_at_end() && !stop.drain.stop_requested()) {
      // A bounded run that is ahead of what feeds it has no interval to show as empty.
      clock_.wait(kFeedPause, stop.drain);
      continue;
    }
    is_first_ = false;
    return std::optional(std::move(plan));
  }
}

// Whether there is a batch in hand whose records can be read: one of an earlier run, or of a try
// that failed.
Result<bool> DirectSource::check_intent() {
  if (!store_.now().intent || is_intent_checked_) {
    return store_.now().intent.has_value();
  }
  KS_TRY_VALUE(logs, watch_.logs());
  if (!store_.now().intent) {
    return false;  // given up, because a partition of it has gone
  }
  KS_TRY_VALUE(is_whole, watch_.accept_losses_of_intent(logs));
  is_intent_checked_ = is_whole;
  is_first_ = is_first_ && !is_whole;
  return is_whole;
}

Result<OffsetMap> DirectSource::ends_now() {
  if (!final_ && options_.final_ends) {
    final_ = options_.final_ends();
  }
  KS_TRY_VALUE(logs, watch_.logs());
  KS_TRY(watch_.accept_losses(logs));
  OffsetMap ends = ends_of(logs);
  if (final_) {
    for (auto& [partition, end] : ends) {
      const auto final_end = final_->find(partition);
      end = final_end == final_->end() ? next().at(partition) : final_end->second;
    }
  }
  return limiter_ ? limiter_->limit(next(), ends) : ends;
}

Status DirectSource::read(const BatchPlan& plan, BlockExchange& blocks,
                          const std::stop_token& abort) {
  const Status is_read = readers_.read(plan.ranges, blocks, abort);
  return is_read.ok() ? is_read : explain_failed_read(plan, is_read.error());
}

// Records may have gone between the plan and the reading.
Status DirectSource::explain_failed_read(const BatchPlan& plan, const Error& error) {
  if (error.code != ExitCode::kData && error.code != ExitCode::kNoInput) {
    return error;
  }
  const Result<LogBoundsMap> logs = watch_.logs();
  if (!logs.ok() || !find_losses(plan, logs.value()).empty()) {
    is_intent_checked_ = false;  // so that plan() decides
    return Error{error.code, error.text, true};
  }
  return error;
}

Status DirectSource::complete(const BatchPlan& plan) {
  if (!plan.id) {
    return {};
  }
  store_.complete();
  publish();
  if (limiter_) {
    std::int64_t records = 0;
    for (const OffsetRange& range : plan.ranges) {
      records += range.until - range.from;
    }
    const std::int64_t now_ms = clock_.steady_ms();
    limiter_->completed(now_ms, records, now_ms - planned_ms_, delay_ms_);
  }
  return {};
}

void DirectSource::publish() {
  if (options_.publisher != nullptr) {
    options_.publisher->offer(next());
  }
}

Status DirectSource::settle() {
  return store_.settle();
}

bool DirectSource::is_at_end() const {
  return final_ && std::all_of(final_->begin(), final_->end(), [this](const auto& entry) {
           const auto position = next().find(entry.first);
           return position == next().end() || position->second >= entry.second;
         });
}

}  // namespace kstream

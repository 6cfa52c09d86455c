#include "source/receiver_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "telemetry/log.h"

namespace kstream {
namespace {

constexpr auto kPause = std::chrono::milliseconds(20);
constexpr std::int64_t kAskEveryMs = 1'000;

}  // namespace

std::vector<OffsetRange> ranges_of(std::span<const Received> received, const OffsetMap& positions) {
  std::map<TopicPartition, std::vector<OffsetRange>> by_partition;
  for (const Received& one : received) {
    std::vector<OffsetRange>& ranges = by_partition[one.covers.partition];
    if (!ranges.empty() && ranges.back().until == one.covers.from) {
      ranges.back().until = one.covers.until;
    } else {
      ranges.push_back(one.covers);
    }
  }
  for (const auto& [partition, position] : positions) {
    by_partition.try_emplace(partition, 1, OffsetRange{partition, position, position});
  }
  std::vector<OffsetRange> all;
  for (auto& [partition, ranges] : by_partition) {
    all.insert(all.end(), ranges.begin(), ranges.end());
  }
  return all;
}

ReceiverSource::ReceiverSource(Reception& reception, wal::WriteAheadLog* log, OffsetStore& group,
                               Clock& clock, ReceiverSourceOptions options)
    : reception_(reception),
      log_(log),
      group_(group),
      clock_(clock),
      options_(std::move(options)),
      cut_ms_(clock.steady_ms()),
      estimator_(options_.interval) {
  if (options_.has_backpressure) {
    reception_.set_rate(options_.initial_rate);
  }
  if (log_ == nullptr) {
    return;
  }
  last_batch_ = log_->last_batch();
  last_time_ms_ = log_->last_time_ms();
  wal::Unprocessed left = log_->take_unprocessed();
  plan_ = std::move(left.plan);
  for (const wal::LoggedBlock& logged : left.planned) {
    planned_.push_back({logged.covers, nullptr, logged});
  }
  std::vector<Received> unplanned;
  for (const wal::LoggedBlock& logged : left.unplanned) {
    if (!logged.covers.is_empty()) {  // no more than a start: nothing for a batch
      unplanned.push_back({logged.covers, nullptr, logged});
    }
  }
  reception_.put_back(std::move(unplanned));
}

Result<std::optional<BatchPlan>> ReceiverSource::plan(BatchTime time, const Stop& stop) {
  if (plan_) {
    return plan_;
  }
  const bool may_wait = options_.is_bounded;
  while (true) {
    bool is_last = false;
    if (may_wait) {
      KS_TRY_VALUE(is_end, is_at_end());
      is_last = is_end;
    }
    const bool is_stopping = stop.drain.stop_requested();
    if (!may_wait || is_last || is_stopping || is_due()) {
      KS_TRY(trim());
      KS_TRY_VALUE(plan, cut(std::max(time, last_time_ms_ + 1)));
      if (plan->id || !may_wait || (is_last && is_first_)) {
        is_first_ = false;
        return plan;
      }
      if (is_last || is_stopping) {
        return std::optional<BatchPlan>();
      }
    }
    reception_.wait(kPause, stop.drain);
  }
}

// In a run with an end there is no boundary to wait for, but a batch is not smaller than need be.
bool ReceiverSource::is_due() {
  return reception_.is_filling() || clock_.steady_ms() - cut_ms_ >= options_.interval.count();
}

// All that is there. A plan without records is none of the stream's.
Result<std::optional<BatchPlan>> ReceiverSource::cut(BatchTime time) {
  const std::unique_lock<std::mutex> order = reception_.hold_log();
  std::vector<Received> taken = reception_.take();
  BatchPlan plan{std::nullopt, time, ranges_of(taken, reception_.positions())};
  cut_ms_ = clock_.steady_ms();
  if (!taken.empty()) {
    plan.id = last_batch_ + 1;
    if (log_ != nullptr) {
      const Status logged = log_->append_batch(done_, &plan);
      if (!logged.ok()) {
        reception_.put_back(std::move(taken));
        return logged.error();
      }
      done_.reset();
    }
    last_batch_ = *plan.id;
    last_time_ms_ = time;
    delay_ms_ = std::max<std::int64_t>(clock_.wall_ms() - time, 0);
    planned_ = std::move(taken);
    plan_ = plan;
  }
  return std::optional(std::move(plan));
}

Status ReceiverSource::read(const BatchPlan&, BlockExchange& blocks, const std::stop_token& abort) {
  for (const Received& received : planned_) {
    if (abort.stop_requested()) {
      return Error{ExitCode::kTryAgain, fmt::format("{}: stopped before the end of the batch",
                                                    to_string(received.covers))};
    }
    if (received.block != nullptr) {
      blocks.lend(*received.block);
    } else if (received.logged && received.logged->records > 0) {
      BlockPtr block = blocks.acquire();
      const Status is_read = log_->read(*received.logged, *block);
      if (!is_read.ok()) {
        block->start(received.covers.partition);  // empty: to be given back
      }
      blocks.submit(std::move(block));
      KS_TRY(is_read);
    }
  }
  return {};
}

Status ReceiverSource::complete(const BatchPlan& plan) {
  if (!plan.id) {
    return {};
  }
  std::int64_t records = 0;
  for (const OffsetRange& range : plan.ranges) {
    records += range.until - range.from;
  }
  if (options_.has_backpressure) {
    const std::int64_t now_ms = clock_.steady_ms();
    if (const auto rate = estimator_.update(now_ms, records, now_ms - cut_ms_, delay_ms_)) {
      reception_.set_rate(rate);
    }
  }
  reception_.processed(std::exchange(planned_, {}));
  plan_.reset();
  if (log_ != nullptr) {
    done_ = plan.id;
  }
  return {};
}

Status ReceiverSource::settle() {
  if (done_) {
    KS_TRY(log_->append_batch(done_, nullptr));
    done_.reset();
  }
  return trim();
}

// Before every batch: a log that fills up holds up what is received.
Status ReceiverSource::trim() {
  return log_ != nullptr ? log_->trim(reception_.ours()) : Status();
}

// Everything that was there at the start has been taken, here or by other members.
Result<bool> ReceiverSource::is_at_end() {
  if (options_.final_ends) {
    final_ends_ = options_.final_ends();
  }
  if (!final_ends_) {
    return false;
  }
  const OffsetMap here = reception_.available();
  std::vector<TopicPartition> elsewhere;
  for (const auto& [partition, end] : *final_ends_) {
    const auto position = here.find(partition);
    if (position == here.end()) {
      elsewhere.push_back(partition);
    } else if (position->second < end) {
      return false;
    }
  }
  if (elsewhere.empty()) {
    return true;
  }
  if (clock_.steady_ms() - asked_ms_ < kAskEveryMs) {
    return false;
  }
  asked_ms_ = clock_.steady_ms();
  KS_TRY_VALUE(committed, group_.read(elsewhere));
  return std::all_of(elsewhere.begin(), elsewhere.end(), [&](const TopicPartition& partition) {
    const auto position = committed.find(partition);
    return position != committed.end() && position->second >= final_ends_->at(partition);
  });
}

}  // namespace kstream

// Batches of what a consumer group's members receive: what Spark calls the receiver approach. With
// a log every batch is planned in it and done in it; without one a batch is safe once it is
// written.
//
// Contract: Source's; without a log a plan outlives a failure but not the process.
// Thread: the batch thread.
// Errors: 65 and 74 of the log; 75 when stopped.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "offsets/offset_store.h"
#include "os/clock.h"
#include "pipeline/source.h"
#include "source/rate_limiter.h"
#include "source/reception.h"
#include "wal/write_ahead_log.h"

namespace kstream {

struct ReceiverSourceOptions {
  std::chrono::milliseconds interval{1000};
  bool is_bounded = false;
  // Ends that somebody else decides, instead of end_at(): nothing as long as they are open.
  std::function<std::optional<OffsetMap>()> final_ends;
  bool has_backpressure = false;
  double initial_rate = 0;  // records per second until there is a measurement
};

class ReceiverSource final : public Source {
 public:
  // `log` may be null. `group` is asked where other members are. Everything referred to outlives
  // the source.
  ReceiverSource(Reception& reception, wal::WriteAheadLog* log, OffsetStore& group, Clock& clock,
                 ReceiverSourceOptions options);

  // The source ends when the group has come so far.
  void end_at(OffsetMap ends) { final_ends_ = std::move(ends); }

  Result<std::optional<BatchPlan>> plan(BatchTime time, const Stop& stop) override;
  Status read(const BatchPlan& plan, BlockExchange& blocks, const std::stop_token& abort) override;
  Status complete(const BatchPlan& plan) override;
  Status settle() override;

  BatchTime last_time_ms() const { return last_time_ms_; }
  bool has_plan() const { return plan_.has_value(); }

 private:
  Result<std::optional<BatchPlan>> cut(BatchTime time);
  Status trim();
  Result<bool> is_at_end();
  bool is_due();

  Reception& reception_;
  wal::WriteAheadLog* const log_;
  OffsetStore& group_;
  Clock& clock_;
  const ReceiverSourceOptions options_;

  std::optional<BatchPlan> plan_;  // the batch in hand
  std::vector<Received> planned_;  // its blocks
  BatchId last_batch_ = 0;
  BatchTime last_time_ms_ = 0;
  std::optional<BatchId> done_;  // the log does not know it yet
  std::optional<OffsetMap> final_ends_;
  std::int64_t cut_ms_ = 0;    // steady, when the last batch was cut
  std::int64_t asked_ms_ = 0;  // steady, when the group was last asked
  bool is_first_ = true;
  RateEstimator estimator_;
  std::int64_t delay_ms_ = 0;  // of the batch in hand behind its time
};

// The ranges of a batch of these blocks: what lies side by side is one; a partition without blocks
// has an empty one at its position. By topic, then partition, then offset. Pure.
std::vector<OffsetRange> ranges_of(std::span<const Received> received, const OffsetMap& positions);

}  // namespace kstream

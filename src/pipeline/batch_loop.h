// The loop that everything else serves: plan, read, count, write, complete, strictly in turn.
//
// Contract: a batch is completed only after every sink has it, and a batch of which anything failed
//   is not completed.
// Thread: the batch thread; the counters belong to the counting threads while a batch is read.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/block_exchange.h"
#include "model/stop.h"
#include "os/clock.h"
#include "pipeline/counter.h"
#include "pipeline/sink.h"
#include "pipeline/source.h"

namespace kstream {

struct BatchLoopOptions {
  std::chrono::milliseconds interval{2000};
  // False: a bounded run, which does not wait for the boundaries of intervals.
  bool waits_for_boundaries = true;
  std::optional<std::int64_t> batches_max;
  // How long transient failures to plan are tried again; nothing: for ever.
  std::optional<std::chrono::milliseconds> give_up_after;
};

class BatchLoop {
 public:
  // Everything referred to outlives the loop.
  BatchLoop(Source& source, std::vector<Sink*> sinks, std::span<Counter> counters,
            BlockExchange& blocks, Clock& clock, const BatchLoopOptions& options);

  // One batch at its time. False when there is none to come: the end, the last one wanted, a stop.
  Result<bool> step(const Stop& stop);

  // Of all batches so far.
  const CountTotals& totals() const { return totals_; }
  std::int64_t batches() const { return batches_; }

 private:
  bool is_over(const Stop& stop) const;
  BatchTime wait_for_time(const Stop& stop);
  Status run_batch(const BatchPlan& plan, const Stop& stop);
  Result<bool> wait_out(const Error& error, const Stop& stop);
  void report(const BatchPlan& plan, const CountTotals& totals, std::int64_t took_ms) const;

  Source& source_;
  const std::vector<Sink*> sinks_;
  const std::span<Counter> counters_;
  BlockExchange& blocks_;
  Clock& clock_;
  const BatchLoopOptions options_;

  BatchTime last_time_ = 0;
  std::int64_t batches_ = 0;
  CountTotals totals_;
  std::optional<std::int64_t> failing_since_ms_;
  std::int64_t next_complaint_ms_ = 0;
};

}  // namespace kstream

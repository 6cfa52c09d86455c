// The loop that everything else serves: plan, read, count, write, complete, strictly in turn.
//
// Contract: a batch is completed only after every sink has it, and a batch of which anything failed
//   is not completed. A sink that already holds a batch, because a crash came between, is left out.
// Errors: 65 when a sink holds a later batch than the source is at, or lacks one: an old state or
//   an old sink was put back. A counter's own, 65, before anything of the batch is written.
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
#include "pipeline/merged_counts.h"
#include "pipeline/sink.h"
#include "pipeline/source.h"
#include "telemetry/every_minute.h"

namespace kstream {

struct BatchLoopOptions {
  std::chrono::milliseconds interval{2000};
  // False: a bounded run, which does not wait for the boundaries of intervals.
  bool waits_for_boundaries = true;
  std::optional<std::int64_t> batches_max;
  BatchTime last_time_ms = 0;     // of the last batch of an earlier run
  bool is_first_planned = false;  // by an earlier run: it does not wait for a boundary
  // How long transient failures are tried again; nothing: for ever.
  std::optional<std::chrono::milliseconds> give_up_after;
};

class BatchLoop {
 public:
  // Everything referred to outlives the loop.
  BatchLoop(Source& source, const std::vector<Sink*>& sinks, std::span<Counter> counters,
            BlockExchange& blocks, Clock& clock, const BatchLoopOptions& options);

  // Asks the sinks what they hold, and waits for those that are away. Once, before the first step.
  // False: stopped before.
  Result<bool> start(const Stop& stop);

  // One batch at its time. False when there is none to come: the end, the last one wanted, a stop.
  Result<bool> step(const Stop& stop);

  // What the source still holds and no batch has, as a last batch, now. After a stop.
  Status drain(const Stop& stop);

  // Of all batches so far.
  const CountTotals& totals() const { return totals_; }
  std::int64_t batches() const { return batches_; }

 private:
  struct Target {
    Sink* sink;
    std::optional<HeldBatch> last;
  };

  bool is_over(const Stop& stop) const;
  Result<bool> settle();
  Result<BatchTime> wait_for_time(const Stop& stop);
  Status run_batch(const BatchPlan& plan, const Stop& stop);
  // The sinks that are to get the batch.
  Result<std::vector<Target*>> sinks_without(const BatchPlan& plan);
  Status write(Target& target, const BatchResult& result, const Stop& stop);
  Result<MergedCounts> read_and_count(const BatchPlan& plan, const Stop& stop);
  Result<bool> wait_out(const Error& error, const Stop& stop);
  void report(const BatchPlan& plan, const CountTotals& totals, std::int64_t took_ms);

  Source& source_;
  std::vector<Target> targets_;
  const std::span<Counter> counters_;
  BlockExchange& blocks_;
  Clock& clock_;
  const BatchLoopOptions options_;

  BatchTime last_time_;
  std::int64_t batches_ = 0;
  CountTotals totals_;
  std::optional<std::int64_t> failing_since_ms_;
  EveryMinute complaint_;
  EveryMinute invalid_;
};

}  // namespace kstream

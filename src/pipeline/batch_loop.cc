#include "pipeline/batch_loop.h"

#include <fmt/format.h>

#include <utility>

#include "base/parse.h"
#include "pipeline/schedule.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

constexpr auto kRetryPause = std::chrono::milliseconds(500);
constexpr std::int64_t kComplainEveryMs = 60'000;

}  // namespace

BatchLoop::BatchLoop(Source& source, std::vector<Sink*> sinks, std::span<Counter> counters,
                     BlockExchange& blocks, Clock& clock, const BatchLoopOptions& options)
    : source_(source),
      sinks_(std::move(sinks)),
      counters_(counters),
      blocks_(blocks),
      clock_(clock),
      options_(options) {
  KS_CHECK(!counters_.empty());
}

Result<bool> BatchLoop::step(const Stop& stop) {
  if (is_over(stop)) {
    return false;
  }
  const BatchTime time = wait_for_time(stop);
  if (stop.drain.stop_requested()) {
    return false;
  }
  Result<std::optional<BatchPlan>> plan = source_.plan(time, stop);
  if (!plan.ok()) {
    return wait_out(plan.error(), stop);
  }
  failing_since_ms_.reset();
  if (!plan.value()) {
    return false;
  }
  last_time_ = time;
  KS_TRY(run_batch(*plan.value(), stop));
  ++batches_;
  return !is_over(stop);
}

bool BatchLoop::is_over(const Stop& stop) const {
  return stop.drain.stop_requested() || (options_.batches_max && batches_ >= *options_.batches_max);
}

BatchTime BatchLoop::wait_for_time(const Stop& stop) {
  if (!options_.waits_for_boundaries) {
    return next_moment(clock_.wall_ms(), last_time_);
  }
  const BatchTime time = next_boundary(clock_.wall_ms(), last_time_, options_.interval);
  while (!stop.drain.stop_requested()) {
    const std::int64_t left = time - clock_.wall_ms();
    if (left <= 0) {
      break;
    }
    clock_.wait(std::chrono::milliseconds(left), stop.drain);
  }
  return time;
}

Status BatchLoop::run_batch(const BatchPlan& plan, const Stop& stop) {
  const std::int64_t started_ms = clock_.steady_ms();
  for (Counter& counter : counters_) {
    counter.clear();
  }
  const Status read = plan.id ? source_.read(plan, blocks_, stop.abort) : Status();
  blocks_.wait_until_idle();
  KS_TRY(read);

  Counter& all = counters_.front();
  for (Counter& other : counters_.subspan(1)) {
    all.merge_from(other);
  }
  const std::vector<WordCount> counts = all.counts();
  const BatchResult result{plan, options_.interval, all.totals(), counts};
  for (Sink* sink : sinks_) {
    if (plan.id || sink->wants_empty_batches()) {
      KS_TRY(sink->write(result));
    }
  }
  KS_TRY(source_.complete(plan));
  totals_ += all.totals();
  report(plan, all.totals(), clock_.steady_ms() - started_ms);
  return {};
}

Result<bool> BatchLoop::wait_out(const Error& error, const Stop& stop) {
  if (!error.is_transient) {
    return error;
  }
  const std::int64_t now_ms = clock_.steady_ms();
  if (!failing_since_ms_) {
    failing_since_ms_ = now_ms;
    next_complaint_ms_ = now_ms;
  }
  if (options_.give_up_after && now_ms - *failing_since_ms_ >= options_.give_up_after->count()) {
    return error;
  }
  if (now_ms >= next_complaint_ms_) {
    log::warning("{} Trying again.", error.text);
    next_complaint_ms_ = now_ms + kComplainEveryMs;
  }
  clock_.wait(kRetryPause, stop.drain);
  return !stop.drain.stop_requested();
}

void BatchLoop::report(const BatchPlan& plan, const CountTotals& totals,
                       std::int64_t took_ms) const {
  if (totals.invalid > 0 || totals.nulls > 0) {
    log::info(
        "batch {}: {} of {} records were not valid UTF-8 and were repaired with U+FFFD, {} had "
        "no value",
        plan.id.value_or(0), totals.invalid, totals.records, totals.nulls);
  }
  if (options_.waits_for_boundaries && took_ms > options_.interval.count()) {
    log::warning(
        "batch {}: took {} ms, longer than the interval of {}; the next one begins at the "
        "next boundary and covers what came meanwhile",
        plan.id.value_or(0), took_ms, duration_text(options_.interval));
  }
}

}  // namespace kstream

#include "pipeline/batch_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/parse.h"
#include "pipeline/schedule.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

constexpr auto kRetryPause = std::chrono::milliseconds(500);

// What invalid records were not, and what became of them.
std::string invalid_and_then(const Counter& counter) {
  const CountOptions& options = counter.options();
  if (counter.has_handler()) {
    return fmt::format(
        "for the handler or the decoder and {}",
        options.on_invalid == OnInvalid::kReplace ? "count as far as they can" : "have no words");
  }
  const bool is_json = options.decode.decoding == Decoding::kJson;
  const bool is_repaired = !is_json && options.on_invalid == OnInvalid::kReplace;
  return fmt::format("{} and {}",
                     is_json ? fmt::format("for --decode {}", to_string(options.decode)) : "UTF-8",
                     is_repaired ? "were repaired with U+FFFD" : "have no words");
}

Error not_following(const Sink& sink, BatchId held, const BatchPlan& plan, const char* how) {
  const char* mend =
      held < *plan.id
          ? "Where state and output belong together, the output is an old copy: put the "
            "right one back"
          : "Where the state was lost or is an old copy, move it away and make it anew "
            "of what the output holds, with kstream state adopt --from-sink";
  return Error{
      ExitCode::kData,
      fmt::format("{}: holds batch {} of this stream as its last{}, but batch {} is next here. "
                  "Nothing was read or written. {}. Where this is another stream, give it a name "
                  "of its own with --name.",
                  sink.name(), held, how, *plan.id, mend)};
}

}  // namespace

BatchLoop::BatchLoop(Source& source, const std::vector<Sink*>& sinks, std::span<Counter> counters,
                     BlockExchange& blocks, Clock& clock, const BatchLoopOptions& options)
    : source_(source),
      counters_(counters),
      blocks_(blocks),
      clock_(clock),
      options_(options),
      last_time_(options.last_time_ms) {
  KS_CHECK(!counters_.empty());
  for (Sink* sink : sinks) {
    targets_.push_back({sink, std::nullopt});
  }
}

Result<bool> BatchLoop::start(const Stop& stop) {
  for (Target& target : targets_) {
    Result<std::optional<HeldBatch>> last = target.sink->last_batch();
    while (!last.ok()) {
      KS_TRY_VALUE(goes_on, wait_out(last.error(), stop));
      if (!goes_on) {
        return false;
      }
      last = target.sink->last_batch();
    }
    target.last = last.value();
  }
  failing_since_ms_.reset();
  return true;
}

Result<bool> BatchLoop::step(const Stop& stop) {
  if (is_over(stop)) {
    return settle();
  }
  KS_TRY_VALUE(time, wait_for_time(stop));
  if (stop.drain.stop_requested()) {
    return settle();
  }
  Result<std::optional<BatchPlan>> plan = source_.plan(time, stop);
  if (!plan.ok()) {
    return wait_out(plan.error(), stop);
  }
  if (!plan.value()) {
    return settle();
  }
  last_time_ = std::max(last_time_, plan.value()->time_ms);
  if (const Status run = run_batch(*plan.value(), stop); !run.ok()) {
    KS_TRY_VALUE(goes_on, wait_out(run.error(), stop));
    if (!goes_on && plan.value()->id) {
      return Error{ExitCode::kTryAgain,
                   fmt::format("batch {}: stopped before it was done. With a state directory the "
                               "next start begins with it. {}",
                               *plan.value()->id, run.error().text)};
    }
    return goes_on;
  }
  failing_since_ms_.reset();
  ++batches_;
  return true;
}

Status BatchLoop::drain(const Stop& stop) {
  if ((options_.batches_max && batches_ >= *options_.batches_max) || stop.abort.stop_requested()) {
    return {};
  }
  KS_TRY_VALUE(plan, source_.plan(next_moment(clock_.wall_ms(), last_time_), stop));
  if (plan && plan->id) {
    KS_TRY(run_batch(*plan, stop));
    ++batches_;
  }
  return source_.settle();
}

bool BatchLoop::is_over(const Stop& stop) const {
  return stop.drain.stop_requested() || (options_.batches_max && batches_ >= *options_.batches_max);
}

Result<bool> BatchLoop::settle() {
  KS_TRY(source_.settle());
  return false;
}

Result<BatchTime> BatchLoop::wait_for_time(const Stop& stop) {
  if (!options_.waits_for_boundaries) {
    return next_moment(clock_.wall_ms(), last_time_);
  }
  if (options_.is_first_planned && batches_ == 0) {
    return last_time_;  // the plan has its own
  }
  const BatchTime time = next_boundary(clock_.wall_ms(), last_time_, options_.interval);
  if (time > clock_.wall_ms()) {
    KS_TRY(source_.settle());
  }
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
  KS_TRY_VALUE(sinks, sinks_without(plan));
  CountTotals totals;
  if (!sinks.empty()) {
    KS_TRY_VALUE(counts, read_and_count(plan, stop));
    totals = counts.totals();
    const BatchResult result{plan, options_.interval, totals, counts};
    for (Target* target : sinks) {
      KS_TRY(write(*target, result, stop));
    }
  }
  KS_TRY(source_.complete(plan));
  totals_ += totals;
  report(plan, totals, clock_.steady_ms() - started_ms);
  return {};
}

Result<std::vector<BatchLoop::Target*>> BatchLoop::sinks_without(const BatchPlan& plan) {
  std::vector<Target*> without;
  for (Target& target : targets_) {
    if (!plan.id) {
      if (target.sink->wants_empty_batches()) {
        without.push_back(&target);
      }
    } else if (!target.last || target.last->id + 1 == *plan.id) {
      without.push_back(&target);
    } else if (target.last->id != *plan.id) {
      return not_following(*target.sink, target.last->id, plan, "");
    } else if (target.last->fingerprint.value_or(fingerprint(plan)) != fingerprint(plan)) {
      return not_following(*target.sink, target.last->id, plan, " with other ranges");
    }
  }
  return without;
}

// What failed for a while is tried again with the counts that are there.
Status BatchLoop::write(Target& target, const BatchResult& result, const Stop& stop) {
  while (true) {
    const std::int64_t started_ms = clock_.steady_ms();
    Status written = target.sink->write(result);
    if (written.ok()) {
      log::debug("batch {}: {}: {} words written in {} ms", result.plan.id.value_or(0),
                 target.sink->name(), result.counts.size(), clock_.steady_ms() - started_ms);
      target.last =
          result.plan.id ? HeldBatch{*result.plan.id, fingerprint(result.plan)} : target.last;
      return {};
    }
    KS_TRY_VALUE(goes_on, wait_out(written.error(), stop));
    if (!goes_on) {
      return written;
    }
  }
}

Result<MergedCounts> BatchLoop::read_and_count(const BatchPlan& plan, const Stop& stop) {
  for (Counter& counter : counters_) {
    counter.clear();
  }
  const Status read = plan.id ? source_.read(plan, blocks_, stop.abort) : Status();
  blocks_.wait_until_idle();
  for (const Counter& counter : counters_) {
    KS_TRY(counter.status());  // the reading was stopped because of it
  }
  KS_TRY(read);
  return MergedCounts::merge(counters_);
}

Result<bool> BatchLoop::wait_out(const Error& error, const Stop& stop) {
  if (!error.is_transient) {
    return error;
  }
  const std::int64_t now_ms = clock_.steady_ms();
  if (!failing_since_ms_) {
    failing_since_ms_ = now_ms;
    complaint_.reset();
  }
  if (options_.give_up_after && now_ms - *failing_since_ms_ >= options_.give_up_after->count()) {
    return error;
  }
  if (complaint_.is_due(now_ms)) {
    log::warning("{} Trying again.", error.text);
  }
  clock_.wait(kRetryPause, stop.drain);
  return !stop.drain.stop_requested();
}

void BatchLoop::report(const BatchPlan& plan, const CountTotals& totals, std::int64_t took_ms) {
  if (totals.invalid > 0 || totals.nulls > 0) {
    log::info("batch {}: {} of {} records were not valid {}, {} had no value", plan.id.value_or(0),
              totals.invalid, totals.records, invalid_and_then(counters_.front()), totals.nulls);
  }
  if (totals.dropped > 0) {
    log::debug("batch {}: {} of {} records were dropped by the handler", plan.id.value_or(0),
               totals.dropped, totals.records);
  }
  for (const Counter& counter : counters_) {
    // One of each minute, as an example.
    if (!counter.first_problem().empty() && invalid_.is_due(clock_.steady_ms())) {
      log::warning("batch {}: {}", plan.id.value_or(0), counter.first_problem());
    }
  }
  if (options_.waits_for_boundaries && took_ms > options_.interval.count()) {
    log::warning(
        "batch {}: took {} ms, longer than the interval of {}; the next one begins at the "
        "next boundary and covers what came meanwhile",
        plan.id.value_or(0), took_ms, duration_text(options_.interval));
  }
}

}  // namespace kstream

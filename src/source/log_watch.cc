#include "source/log_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "telemetry/log.h"

namespace kstream {
namespace {

// A partition is not gone because a broker that has just come back does not know it yet.
constexpr std::int64_t kGoneMs = 10'000;

std::vector<TopicPartition> without(const std::vector<TopicPartition>& all,
                                    const std::vector<TopicPartition>& some) {
  std::vector<TopicPartition> rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(rest));
  return rest;
}

}  // namespace

LogWatch::LogWatch(kafka::ClusterView& view, PositionFinder& finder, CheckpointStore& store,
                   Clock& clock, const LogWatchOptions& options)
    : view_(view),
      finder_(finder),
      store_(store),
      clock_(clock),
      options_(options),
      next_discovery_ms_(clock.steady_ms() + options.discover_every.count()) {}

Result<LogBoundsMap> LogWatch::logs() {
  if (clock_.steady_ms() >= next_discovery_ms_) {
    KS_TRY(discover());
  }
  Result<LogBoundsMap> logs = view_.log_bounds(partitions_of(next()));
  if (!logs.ok() && logs.error().code == ExitCode::kNoInput) {
    KS_TRY(discover());
    return Error{logs.error().code, logs.error().text, true};
  }
  return logs;
}

Status LogWatch::discover() {
  KS_TRY_VALUE(there, finder_.partitions_now());
  const std::vector<TopicPartition> known = partitions_of(next());
  KS_TRY(accept_gone(without(known, there)));
  if (const auto fresh = without(there, known);
      !fresh.empty() && options_.takes_new_partitions && !store_.now().intent) {
    OffsetMap with_new = next();
    for (const TopicPartition& partition : fresh) {
      log::info("{}: is new; it is read from its beginning", to_string(partition));
      with_new[partition] = 0;
    }
    store_.move(std::move(with_new));
  }
  next_discovery_ms_ = clock_.steady_ms() + options_.discover_every.count();
  return {};
}

Status LogWatch::accept_gone(const std::vector<TopicPartition>& gone) {
  if (gone.empty()) {
    gone_since_ms_.reset();
    return {};
  }
  const std::string what = fmt::format(
      "{}{}: is not in the cluster any more; it was read up to offset {}", to_string(gone.front()),
      gone.size() > 1 ? fmt::format(" and {} more partitions", gone.size() - 1) : "",
      next().at(gone.front()));
  const std::int64_t now_ms = clock_.steady_ms();
  gone_since_ms_ = gone_since_ms_.value_or(now_ms);
  if (now_ms - *gone_since_ms_ < kGoneMs) {
    return Error{ExitCode::kNoInput, what + ".", true};
  }
  if (options_.on_data_loss == OnDataLoss::kFail) {
    return Error{ExitCode::kData,
                 fmt::format("data loss: {}. Its topic was deleted, or made anew with fewer "
                             "partitions. The position is unchanged. To go on without: "
                             "--on-data-loss skip.",
                             what)};
  }
  log::warning("{}. It is left out.", what);
  if (store_.now().intent) {
    store_.abandon();
  }
  OffsetMap rest = next();
  for (const TopicPartition& partition : gone) {
    rest.erase(partition);
  }
  store_.move(std::move(rest));
  gone_since_ms_.reset();
  return {};
}

Status LogWatch::accept_losses(const LogBoundsMap& logs) {
  const std::vector<Loss> losses = find_losses(next(), logs);
  if (losses.empty()) {
    return {};
  }
  if (options_.on_data_loss == OnDataLoss::kFail) {
    return data_loss(losses);
  }
  OffsetMap moved = next();
  std::int64_t lost = 0;
  for (const Loss& loss : losses) {
    log::warning("{}. Going on at {}.", describe(loss), loss.log.start);
    moved[loss.partition] = loss.log.start;
    lost += loss.records();
  }
  log::warning("{} records were lost before they were read", lost);
  store_.move(std::move(moved));
  return {};
}

Result<bool> LogWatch::accept_losses_of_intent(const LogBoundsMap& logs) {
  const BatchPlan& intent = *store_.now().intent;
  const std::vector<Loss> losses = find_losses(intent, logs);
  if (losses.empty()) {
    return true;
  }
  if (options_.on_data_loss == OnDataLoss::kFail) {
    return data_loss(losses);
  }
  log::warning("batch {} is given up: {}. Its records are planned anew, as far as they are there.",
               *intent.id, describe(losses.front()));
  store_.abandon();
  return false;
}

}  // namespace kstream

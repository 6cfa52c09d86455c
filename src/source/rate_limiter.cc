#include "source/rate_limiter.h"

#include <algorithm>

namespace kstream {
namespace {

constexpr double kProportional = 1.0;
constexpr double kIntegral = 0.2;
constexpr double kRateMin = 100;
constexpr double kMsPerSecond = 1000;

}  // namespace

std::optional<double> RateEstimator::update(std::int64_t time_ms, std::int64_t records,
                                            std::int64_t processing_ms, std::int64_t delay_ms) {
  const bool is_later = !latest_time_ms_ || time_ms > *latest_time_ms_;
  if (!is_later || records <= 0 || processing_ms <= 0) {
    return std::nullopt;
  }
  const bool is_first = !latest_time_ms_;
  latest_time_ms_ = time_ms;
  const double measured =
      static_cast<double>(records) / static_cast<double>(processing_ms) * kMsPerSecond;
  if (is_first) {
    latest_rate_ = measured;
    return std::nullopt;
  }
  const double error = latest_rate_ - measured;
  const double backlog =
      static_cast<double>(delay_ms) * measured / static_cast<double>(interval_.count());
  latest_rate_ = std::max(latest_rate_ - kProportional * error - kIntegral * backlog, kRateMin);
  return latest_rate_;
}

RateLimiter::RateLimiter(const RateOptions& options)
    : options_(options), estimator_(options.interval), rate_(options.initial) {}

std::optional<double> RateLimiter::partition_rate(double lag, double total_lag) const {
  std::optional<double> rate = options_.max_per_partition;
  if (rate_ && total_lag > 0) {
    const double share = lag / total_lag * *rate_;
    rate = rate ? std::min(*rate, share) : share;
  }
  return rate;
}

OffsetMap RateLimiter::limit(const OffsetMap& next, const OffsetMap& ends) const {
  double total_lag = 0;
  for (const auto& [partition, end] : ends) {
    total_lag += static_cast<double>(std::max<Offset>(end - next.at(partition), 0));
  }
  const double seconds = static_cast<double>(options_.interval.count()) / kMsPerSecond;
  OffsetMap limited = ends;
  for (auto& [partition, end] : limited) {
    const Offset from = next.at(partition);
    const double lag = static_cast<double>(std::max<Offset>(end - from, 0));
    const std::optional<double> rate = partition_rate(lag, total_lag);
    if (rate && *rate * seconds < lag) {
      const auto records = static_cast<Offset>(*rate * seconds);
      end = std::min(end, from + std::max(records, options_.min_per_partition));
    }
  }
  return limited;
}

void RateLimiter::completed(std::int64_t time_ms, std::int64_t records, std::int64_t processing_ms,
                            std::int64_t delay_ms) {
  if (options_.has_backpressure) {
    const std::optional<double> rate = estimator_.update(time_ms, records, processing_ms, delay_ms);
    rate_ = rate ? rate : rate_;
  }
}

}  // namespace kstream

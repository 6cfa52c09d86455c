// How many records a batch may have: Spark Streaming's back-pressure and rate limits for direct
// streams.
//
// Pure. Units: rates in records per second, times in milliseconds.
// Source: Spark's PIDRateEstimator (proportional 1, integral 0.2, derivative 0, at least 100
// records
//   a second) and DirectKafkaInputDStream.maxMessagesPerPartition.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "model/offset.h"

namespace kstream {

struct RateOptions {
  std::chrono::milliseconds interval{2000};
  bool has_backpressure = true;
  std::optional<double> initial;  // until something has been measured
  std::optional<double> max_per_partition;
  Offset min_per_partition = 1;  // records of each batch that is limited
};

// What rate the work so far can be kept up with.
class RateEstimator {
 public:
  explicit RateEstimator(std::chrono::milliseconds interval) : interval_(interval) {}

  // After each batch: when it was done, its records, how long it took, how late it began. A new
  // rate, or nothing when this one says nothing.
  std::optional<double> update(std::int64_t time_ms, std::int64_t records,
                               std::int64_t processing_ms, std::int64_t delay_ms);

 private:
  const std::chrono::milliseconds interval_;
  std::optional<std::int64_t> latest_time_ms_;
  double latest_rate_ = 0;
};

class RateLimiter {
 public:
  explicit RateLimiter(const RateOptions& options);

  // Where each partition's range may end at most, given where it begins and where its log ends.
  OffsetMap limit(const OffsetMap& next, const OffsetMap& ends) const;

  // As RateEstimator::update.
  void completed(std::int64_t time_ms, std::int64_t records, std::int64_t processing_ms,
                 std::int64_t delay_ms);

 private:
  std::optional<double> partition_rate(double lag, double total_lag) const;

  const RateOptions options_;
  RateEstimator estimator_;
  std::optional<double> rate_;
};

}  // namespace kstream

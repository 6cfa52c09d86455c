// Publishes the latest positions of a stream, for lag tools and older consumers, on a thread of its
// own: a service that is slow or away never holds up the batches.
//
// Contract: only the latest positions matter; those between may be left out. While nothing changes
//   they are published again every kAgainEvery, so that no broker forgets them.
// Thread: offer() any; run() its own.
// Errors: none. What failed is counted, logged once a minute, and goes with the next positions.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "model/offset.h"
#include "offsets/offset_store.h"
#include "os/clock.h"
#include "telemetry/every_minute.h"

namespace kstream {

class PositionPublisher {
 public:
  static constexpr auto kAgainEvery = std::chrono::minutes(1);
  static constexpr auto kRetryAfter = std::chrono::seconds(1);

  explicit PositionPublisher(Clock& clock) : clock_(clock) {}

  void add(std::unique_ptr<OffsetStore> store);
  bool has_targets() const { return !targets_.empty(); }
  // The first that was added, for asking. There is one.
  OffsetStore& first() { return *targets_.front().store; }

  void offer(const OffsetMap& next);

  // Publishes until `stop` is requested; then what is still to be published, once.
  void run(const std::stop_token& stop);

 private:
  struct Target {
    std::unique_ptr<OffsetStore> store;
    bool is_behind = true;  // lacks the latest positions
    std::int64_t failures = 0;
    EveryMinute complaint;
  };

  // Waits for new positions, or until it is time to publish the old ones again.
  void wait(const std::stop_token& stop);
  void publish();

  Clock& clock_;
  std::vector<Target> targets_;

  std::mutex mutex_;
  std::condition_variable_any is_offered_;
  std::optional<OffsetMap> offered_;

  OffsetMap latest_;
};

}  // namespace kstream

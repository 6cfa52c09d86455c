// What changes in the cluster under a direct stream: partitions that appear, partitions that have
// gone, records that have. It moves the position accordingly, or refuses to.
//
// Thread: the batch thread.
// Errors: 65 for what is lost, unless it may be skipped; transient ones while it is not certain.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "checkpoint/checkpoint_store.h"
#include "kafka/cluster_view.h"
#include "model/offset.h"
#include "os/clock.h"
#include "source/data_loss.h"
#include "source/positions.h"

namespace kstream {

struct LogWatchOptions {
  std::chrono::milliseconds discover_every{30'000};
  OnDataLoss on_data_loss = OnDataLoss::kFail;
  bool takes_new_partitions = true;
};

class LogWatch {
 public:
  // Everything referred to outlives the watch.
  LogWatch(kafka::ClusterView& view, PositionFinder& finder, CheckpointStore& store, Clock& clock,
           const LogWatchOptions& options);

  // The bounds of the logs that the stream reads; looks for partitions first, when it is time.
  Result<LogBoundsMap> logs();
  // Looks for partitions now.
  Status discover();

  // Every position lies in its log when it returns.
  Status accept_losses(const LogBoundsMap& logs);
  // True when the batch in hand can be read as it was planned; false when it was given up.
  Result<bool> accept_losses_of_intent(const LogBoundsMap& logs);

 private:
  Status accept_gone(const std::vector<TopicPartition>& gone);
  const OffsetMap& next() const { return store_.now().committed.next; }

  kafka::ClusterView& view_;
  PositionFinder& finder_;
  CheckpointStore& store_;
  Clock& clock_;
  const LogWatchOptions options_;
  std::int64_t next_discovery_ms_;
  std::optional<std::int64_t> gone_since_ms_;
};

}  // namespace kstream

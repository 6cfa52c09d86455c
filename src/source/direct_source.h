// Offset ranges planned per interval, straight from Kafka: what Spark calls the direct approach.
//
// Contract: Source's; the position is in the checkpoint store.
// Thread: the batch thread.
// Errors: 66 topic missing, 65 records that the logs do not have (any more), 69 no broker; the
// first
//   and the last are waited for, as Options say.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_store.h"
#include "kafka/cluster_view.h"
#include "kafka/reader_pool.h"
#include "model/offset.h"
#include "offsets/position_publisher.h"
#include "os/clock.h"
#include "pipeline/source.h"
#include "source/log_watch.h"
#include "source/positions.h"
#include "source/rate_limiter.h"

namespace kstream {

struct DirectSourceOptions {
  PositionOptions positions;
  // Ends that somebody else decides: nothing as long as they are open. Instead of an `until`.
  std::function<std::optional<OffsetMap>()> final_ends;
  // How long start() waits for brokers; nothing: for ever.
  std::optional<std::chrono::milliseconds> startup_timeout;
  LogWatchOptions watch;
  std::optional<RateOptions> rates;        // nothing: each batch has all that there is
  PositionPublisher* publisher = nullptr;  // told after each batch, if there is one
  // What a first start writes into the state, but for the id of the cluster.
  Identity identity;
};

class DirectSource final : public Source {
 public:
  // Everything referred to outlives the source.
  DirectSource(kafka::ClusterView& view, kafka::ReaderPool& readers, CheckpointStore& store,
               Clock& clock, DirectSourceOptions options);

  // Finds the partitions and the first positions; waits for brokers and topics. False when stopped.
  // `stored` is what the state directory held before.
  Result<bool> start(const std::optional<StoredState>& stored, const std::string& state_dir,
                     const Stop& stop);

  Result<std::optional<BatchPlan>> plan(BatchTime time, const Stop& stop) override;
  Status read(const BatchPlan& plan, BlockExchange& blocks, const std::stop_token& abort) override;
  Status complete(const BatchPlan& plan) override;
  Status settle() override;

 private:
  Status open(const std::optional<StoredState>& stored, const std::string& state_dir);
  Result<bool> check_intent();
  // The ends up to which the next batch may go.
  Result<OffsetMap> ends_now();
  Status explain_failed_read(const BatchPlan& plan, const Error& error);
  void publish();
  bool is_at_end() const;
  const OffsetMap& next() const { return store_.now().committed.next; }

  kafka::ClusterView& view_;
  kafka::ReaderPool& readers_;
  CheckpointStore& store_;
  Clock& clock_;
  const DirectSourceOptions options_;
  PositionFinder finder_;
  LogWatch watch_;
  std::optional<RateLimiter> limiter_;
  std::optional<OffsetMap> final_;
  bool is_first_ = true;
  bool is_intent_checked_ = false;
  std::int64_t planned_ms_ = 0;  // steady
  std::int64_t delay_ms_ = 0;    // of the batch in hand behind its time
};

}  // namespace kstream

// Offset ranges planned per interval, straight from Kafka: what Spark calls the direct approach.
//
// Contract: Source's. The position lives in memory only.
// Thread: the batch thread.
// Errors: 66 topic missing, 65 offsets that the logs do not have, 69 no broker; the first and the
//   last are waited for, as Options say.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kafka/cluster_view.h"
#include "kafka/reader_pool.h"
#include "model/offset.h"
#include "os/clock.h"
#include "pipeline/source.h"

namespace kstream {

struct DirectSourceOptions {
  std::vector<std::string> topics;
  Place from = Latest{};
  std::optional<Place> until;       // nothing: never ends
  std::vector<OffsetRange> ranges;  // exactly these instead of from and until, if there are any
  // How long start() waits for brokers; nothing: for ever.
  std::optional<std::chrono::milliseconds> startup_timeout;
  // Ends that somebody else decides: nothing as long as they are open. Instead of `until`.
  std::function<std::optional<OffsetMap>()> final_ends;
};

class DirectSource final : public Source {
 public:
  DirectSource(kafka::ClusterView& view, kafka::ReaderPool& readers, Clock& clock,
               DirectSourceOptions options);

  // Finds the partitions and the first positions; waits for brokers and topics. False when stopped.
  Result<bool> start(const Stop& stop);

  Result<std::optional<BatchPlan>> plan(BatchTime time, const Stop& stop) override;
  Status read(const BatchPlan& plan, BlockExchange& blocks, const std::stop_token& abort) override;
  Status complete(const BatchPlan& plan) override;

 private:
  Status find_positions();
  Status find_named_ranges(const LogBoundsMap& logs);
  Result<OffsetMap> ends_now();
  bool is_at_end() const;

  kafka::ClusterView& view_;
  kafka::ReaderPool& readers_;
  Clock& clock_;
  const DirectSourceOptions options_;
  std::vector<TopicPartition> partitions_;
  OffsetMap next_;
  std::optional<OffsetMap> final_;
  std::optional<BatchPlan> planned_;
  BatchId last_id_ = 0;
  bool is_first_ = true;
};

}  // namespace kstream

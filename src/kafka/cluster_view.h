// What the cluster has now: topics, partitions, the bounds of their logs. Asked on a client of its
// own, because a broker answers one connection's requests in order: behind an idle fetch the same
// question takes half a second instead of a fraction of a millisecond (docs/decisions/0003).
//
// Thread: one at a time.
// Errors: transient ones (69 or 66) may pass; see Error::is_transient.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kafka/client.h"
#include "model/offset.h"

namespace kstream::kafka {

enum class MissingTopic { kError, kLeftOut };

class ClusterView {
 public:
  static Result<ClusterView> create(const ClientConfig& config);

  // What the cluster calls itself; empty for a broker too old to have a name for it.
  Result<std::string> cluster_id();

  // The partitions of the topics, in order. A name that begins with ^ is a regular expression and
  // stands for every topic that it matches (from the beginning of its name); internal topics, whose
  // names begin with __, are matched only by one that begins with ^__.
  // Never creates a topic. Errors: 66, transient, when a topic is not there, with its nearest name.
  Result<std::vector<TopicPartition>> partitions(std::span<const std::string> topics,
                                                 MissingTopic on_missing);

  // First and next offset of each log. The next is the last stable offset, unless the client reads
  // uncommitted records.
  Result<LogBoundsMap> log_bounds(std::span<const TopicPartition> partitions);
  // Only the next offsets.
  Result<OffsetMap> log_ends(std::span<const TopicPartition> partitions);
  // The first record of each log that is as late as this, or the log's end. Milliseconds since
  // 1970.
  Result<OffsetMap> offsets_at(std::span<const TopicPartition> partitions, std::int64_t time_ms);

 private:
  explicit ClusterView(std::unique_ptr<Client> client) : client_(std::move(client)) {}

  Result<MetadataHandle> metadata(const std::string* topic);
  Status add_named(const std::string& topic, std::vector<TopicPartition>& found);
  Status add_matching(const std::string& topic, std::vector<TopicPartition>& found);
  Status add_partitions(const rd_kafka_metadata_topic_t& about, std::vector<TopicPartition>& found);
  Error missing(const std::string& topic);
  Result<OffsetMap> offsets(std::span<const TopicPartition> partitions, Offset which);

  std::unique_ptr<Client> client_;
};

}  // namespace kstream::kafka

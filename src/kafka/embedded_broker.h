// A Kafka broker inside this process: librdkafka's mock cluster, on a free port of 127.0.0.1.
//
// It speaks the protocol, keeps everything in memory, and forgets. A topic that a client asks for
// and that is not there is made, with 4 partitions. Thread: any. Limits: a partition keeps its
// newest kPartitionBytesMax bytes or 100,000 record batches and drops
//   the oldest beyond that, which no option changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace kstream::kafka {

class EmbeddedBroker {
 public:
  static constexpr std::size_t kPartitionBytesMax = 5 * 1024 * 1024;

  static Result<std::unique_ptr<EmbeddedBroker>> start();
  ~EmbeddedBroker();
  EmbeddedBroker(const EmbeddedBroker&) = delete;
  EmbeddedBroker& operator=(const EmbeddedBroker&) = delete;

  // "127.0.0.1:PORT"
  const std::string& bootstrap() const { return bootstrap_; }

  // Errors: 64 when the topic is there already or the name is not one that Kafka takes.
  Status create_topic(const std::string& name, std::int32_t partitions);

 private:
  struct Cluster;
  explicit EmbeddedBroker(std::unique_ptr<Cluster> cluster);

  std::unique_ptr<Cluster> cluster_;
  std::string bootstrap_;
};

}  // namespace kstream::kafka

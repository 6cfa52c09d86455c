// Sends records in order per partition, by librdkafka's idempotent producer: what it tries again is
// there once. (Not quite so with librdkafka 2.0.2 when brokers hang while leaders move: 852 of
// 260,000 records came twice in one run of tests/e2e/outages.sh.)
//
// Thread: one at a time; acknowledged() any.
// Errors: sticky: once a record could not be delivered every call says so. 69 when no broker took a
//   record in time, 65 when one refuses it, 66 and 77 as the broker says.
// Limits: 32 MiB of records wait for their acknowledgement; then send() waits.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "kafka/client.h"

namespace kstream::kafka {

class Producer {
 public:
  static constexpr std::int32_t kAnyPartition = -1;  // by key, or spread when there is none

  // Errors: 64 when the name is not one that Kafka takes.
  static Result<std::unique_ptr<Producer>> create(const ClientConfig& config,
                                                  const std::string& topic);
  ~Producer();

  // Takes a copy of the record, to be sent soon.
  Status send(std::int32_t partition, const std::optional<std::string_view>& key,
              std::string_view value, const std::stop_token& stop);
  // Returns when all that was sent is acknowledged, after `timeout`, or when stopped.
  Status flush(std::chrono::milliseconds timeout, const std::stop_token& stop);

  // Records that a broker has confirmed.
  std::uint64_t acknowledged() const { return acknowledged_.load(std::memory_order_relaxed); }

 private:
  explicit Producer(std::string topic_name) : topic_name_(std::move(topic_name)) {}
  Status failure() const;
  static void on_delivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque);

  const std::string topic_name_;
  std::unique_ptr<Client> client_;
  TopicHandle topic_;
  std::uint64_t sent_ = 0;
  std::atomic<std::uint64_t> acknowledged_{0};
  std::optional<Error> failure_;  // written by on_delivery, which runs inside our own poll calls
};

}  // namespace kstream::kafka

// Records to one topic, and with them the positions that they come from, in transactions: who reads
// committed records sees all of one or nothing.
//
// Contract: create() settles what an earlier producer of the same id has left open, and from then
// on
//   that one can write nothing (Kafka calls it fenced). After an error this producer is of no more
//   use, and whether its transaction was committed is not known; when the next one has been
//   created, the groups' positions say it.
// Errors: transient ones may pass, with another producer. 75 when another producer has the id now,
//   66, transient, when the topic is not there (it is not made), 65 for a record that the broker
//   does not take, 77 when something is forbidden, 76 for brokers without transactions, 78 for a
//   transaction.timeout.ms that they do not take.
// Thread: one at a time.
// Limits: 32 MiB of records wait for their acknowledgement; then send() waits. A transaction that
//   lasts longer than transaction.timeout.ms (5 minutes, unless the user sets it) is aborted by the
//   broker. Notes have up to 4096 bytes (offset.metadata.max.bytes of the broker).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/client.h"
#include "model/offset.h"
#include "os/clock.h"

namespace kstream::kafka {

class TransactionProducer {
 public:
  static Result<std::unique_ptr<TransactionProducer>> create(const ClientConfig& config,
                                                             const std::string& topic,
                                                             const std::string& id);
  ~TransactionProducer();

  // The headers and the time, milliseconds since 1970, of the transaction's records.
  Status begin(const Properties& headers, std::int64_t time_ms);
  // Takes a copy of the record, to be sent soon.
  Status send(std::string_view key, std::string_view value);
  // With it the groups get these positions, and the note at each.
  Status send_positions(std::span<const std::string> groups, const OffsetMap& next,
                        const std::string& note);
  // Returns when the brokers have acknowledged it; readers see it, and the groups' positions, a
  // little later.
  Status commit();
  // Returns when every partition that the transaction has reached knows that it was nothing.
  Status abort();

 private:
  using HeadersHandle = std::unique_ptr<rd_kafka_headers_t, Destroyer<rd_kafka_headers_destroy>>;

  TransactionProducer(std::string topic_name, std::string id)
      : topic_name_(std::move(topic_name)), id_(std::move(id)) {}
  Error failed(rd_kafka_resp_err_t code, std::string_view doing) const;
  bool is_outlasted() const;
  static void on_delivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque);

  const std::string topic_name_;
  const std::string id_;
  std::unique_ptr<Client> client_;
  TopicHandle topic_;
  HeadersHandle headers_;
  mutable SystemClock clock_;
  std::int64_t time_ms_ = 0;
  std::int64_t began_ms_ = 0;
  std::int64_t timeout_ms_ = 0;
  // Of the first record that was given up; written by on_delivery, inside our own calls.
  rd_kafka_resp_err_t refusal_ = RD_KAFKA_RESP_ERR_NO_ERROR;
};

}  // namespace kstream::kafka

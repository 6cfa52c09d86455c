// The records of one assigned partition, in a queue of their own: what is read ahead waits
// partition by partition, and one that nobody takes from does not hold up the others.
//
// Thread: one at a time; a Wakeup is also called by librdkafka's threads.
// Source: docs/decisions/0003, measured on librdkafka 2.0.2 and 2.8.0.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "kafka/client_config.h"
#include "kafka/handles.h"
#include "model/offset.h"
#include "model/record_block.h"

namespace kstream::kafka {

// How a client that reads so many bytes ahead, of so many partitions, is set up.
struct ReadAhead {
  Properties properties;
  Offset queue_records;  // a partition's queue is full with so many
};
ReadAhead read_ahead(std::size_t bytes, std::size_t partitions);

// Wakes the thread that waits for records, whichever of its queues they come to.
class Wakeup {
 public:
  explicit Wakeup(rd_kafka_t* client);

  void watch(rd_kafka_queue_t* queue);
  static void unwatch(rd_kafka_queue_t* queue);

  // Returns when something comes to one of the queues, or after `longest`. `waiting`, if there is
  // one, is a partition that may not be fetched because its queue was full.
  void wait(const TopicPartition* waiting, std::chrono::milliseconds longest);

 private:
  void kick(const TopicPartition& waiting);
  static void on_records(rd_kafka_t* client, void* wakeup);

  rd_kafka_t* const client_;
  const bool needs_kick_;  // librdkafka < 2.2
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_woken_ = false;
};

class PartitionQueue {
 public:
  using MessageCallback = void (*)(rd_kafka_message_t*, void*);

  // Before the partition is assigned. The client and the wakeup outlive the queue.
  PartitionQueue(rd_kafka_t* client, TopicPartition name, Wakeup& wakeup);
  ~PartitionQueue();
  PartitionQueue(const PartitionQueue&) = delete;
  PartitionQueue& operator=(const PartitionQueue&) = delete;

  const TopicPartition& name() const { return name_; }

  // Calls back for each record and event that is there, under one lock; what is left after an
  // rd_kafka_yield goes back to the front. The number of those called for.
  int take(MessageCallback callback, void* opaque);

  // How far the log has been taken. Control records and aborted transactions reach nobody, but they
  // move it. Nothing while it is not certain.
  std::optional<Offset> position();

  // An end-of-partition event came.
  void note_end(Offset end) { last_end_ = end; }

 private:
  rd_kafka_t* const client_;
  const TopicPartition name_;
  const QueueHandle queue_;
  const ListHandle asked_;             // one element, reused to ask for the position
  const bool is_position_off_by_one_;  // after an end event: librdkafka 2.2 to 2.13.1
  Offset last_end_ = RD_KAFKA_OFFSET_INVALID;
};

// Valid as long as the message. The headers lie in `headers`, and are left out when that is null;
// librdkafka reads them from the message only when it is asked.
RecordView record_of(const rd_kafka_message_t& message, std::string* headers);

}  // namespace kstream::kafka

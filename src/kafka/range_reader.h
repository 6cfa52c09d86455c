// Reads offset ranges exactly: every record of [from, until) once, in offset order per partition.
//
// Contract: partitions stay assigned between calls and are read ahead, so that a range that begins
//   where the last one ended costs no seek; those that are done long before others do not.
//   A range is done when the position has reached its end, by a record, by a control record, or by
//   an end-of-partition event; never by counting records, for control records, compaction and
//   aborted transactions leave gaps.
// Thread: one at a time.
// Errors: 65 for records that the broker no longer has or that are damaged, 66 for a topic that has
//   gone, 69 after ReaderOptions::give_up_after without progress, 75 when stopped before the end.
// Limits: ReaderOptions::prefetch_bytes of records wait in the client, divided among the partitions
//   but at least 64 KiB for each; beyond it one fetch, and a partition's share while it is taken.
// Source: docs/decisions/0003, measured on librdkafka 2.0.2 and 2.8.0.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "kafka/client.h"
#include "kafka/partition_queue.h"
#include "model/block_exchange.h"
#include "model/offset.h"
#include "os/clock.h"

namespace kstream::kafka {

struct ReaderOptions {
  std::size_t prefetch_bytes = 16 * 1024 * 1024;
  // How long a read goes on without any progress. Then the batch may be read again, with a new
  // client: now and then one stays stuck although the brokers are back.
  std::chrono::milliseconds give_up_after{60'000};
  bool is_final = false;     // no: the error is transient
  bool has_headers = false;  // records come with their headers
};

class RangeReader {
 public:
  // Makes the client for about `partitions` partitions, among which the read-ahead is divided.
  static Result<std::unique_ptr<RangeReader>> create(const ClientConfig& config,
                                                     const ReaderOptions& options,
                                                     std::size_t partitions, Clock& clock);
  ~RangeReader();

  // Hands every record of the ranges to `blocks`; returns when the last one has been submitted.
  Status read(std::span<const OffsetRange> ranges, BlockExchange& blocks,
              const std::stop_token& abort);

 private:
  // A record that was taken from its queue but belongs to a later range: the first one behind a gap
  // in which a range ended.
  struct CarriedRecord {
    explicit CarriedRecord(const RecordView& record);
    RecordView view() const;

    Offset offset;
    std::int64_t timestamp_ms;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::string headers;
  };
  struct Partition {
    Partition(rd_kafka_t* client, const TopicPartition& partition, Wakeup& wakeup)
        : queue(client, partition, wakeup) {}

    PartitionQueue queue;
    Offset next = RD_KAFKA_OFFSET_INVALID;
    Offset until = 0;
    std::optional<CarriedRecord> carried;
    const TopicPartition& name() const { return queue.name(); }
    bool is_done() const { return next >= until; }
    Offset left() const { return until - next; }
  };
  // A partition's records on their way from its queue to the blocks.
  struct Draining {
    RangeReader* reader;
    Partition* partition;
    BlockExchange* blocks;
    Status status;
  };

  RangeReader(std::unique_ptr<Client> client, const ReaderOptions& options, Offset queue_records,
              Clock& clock);

  Status assign(std::span<const OffsetRange> ranges);
  void unassign(std::span<const TopicPartition> partitions);
  // Takes those that are done off the list.
  void drop_done(std::vector<Partition*>& waiting);
  // Takes what is there for the partition. True when it made progress.
  Result<bool> drain(Partition& partition, BlockExchange& blocks);
  Status take(Partition& partition, const RecordView& record, BlockExchange& blocks);
  Status take_event(Partition& partition, const rd_kafka_message_t& event);
  void put(const Partition& partition, const RecordView& record, BlockExchange& blocks);
  void submit_block(BlockExchange& blocks);
  void serve_client();
  Status report_stall(const std::vector<Partition*>& waiting, std::int64_t stalled_ms);
  std::string* headers_place() { return options_.has_headers ? &headers_ : nullptr; }

  static void on_message(rd_kafka_message_t* message, void* draining) noexcept;

  const std::unique_ptr<Client> client_;
  const ReaderOptions options_;
  const Offset queue_records_;  // a partition's queue is full with so many
  Clock& clock_;
  Wakeup wakeup_;
  std::map<TopicPartition, std::unique_ptr<Partition>> partitions_;
  BlockPtr block_;       // being filled
  std::string headers_;  // of the record in hand
  std::int64_t next_report_ms_ = 0;
};

}  // namespace kstream::kafka

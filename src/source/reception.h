// What the members of the group have received, on its way to the batches: one queue for all of
// them. With a log, blocks are logged first, a group at a time, and count as safe once they are
// durable; without one, they are safe once their batch has been written.
//
// Contract: per partition in offset order. A block belongs to the next batch that is cut.
// Thread: the members' threads call what kafka::Receiver has, one thread runs run_log(), the batch
//   thread calls the rest.
// Errors: those of the log end the process, but for a full one: then nothing more is taken until
//   there is room.
// Limits: bytes_max of blocks in memory. With a log those beyond half of it are left to the log,
//   and what is not logged yet is the other half at most.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "kafka/receiver.h"
#include "offsets/offset_store.h"
#include "os/clock.h"
#include "source/group_start.h"
#include "wal/write_ahead_log.h"

namespace kstream {

// Consecutive records of a partition: in memory, in the log, or both.
struct Received {
  OffsetRange covers;
  BlockPtr block;  // null: in the log only, or no records
  std::optional<wal::LoggedBlock> logged;
};

struct ReceptionOptions {
  std::size_t bytes_max = 48 * 1024 * 1024;
  std::size_t members = 1;
  std::optional<double> max_rate;  // records per second and member
};

class Reception final : public kafka::Receiver {
 public:
  // `log` and `zookeeper` may be null; everything referred to outlives the reception.
  Reception(StartFinder& starts, wal::WriteAheadLog* log, OffsetStore* zookeeper, Clock& clock,
            const ReceptionOptions& options);

  Result<std::vector<OffsetRange>> start(const kafka::CommittedMap& committed) override;
  bool has_room() override;
  BlockPtr acquire() override;
  void submit(BlockPtr block, const OffsetRange& covers) override;
  std::optional<double> rate() override;
  OffsetMap safe(std::span<const TopicPartition> partitions) override;
  void committed(const OffsetMap& positions) override;
  void finish(std::span<const TopicPartition> partitions) override;
  void release(std::span<const TopicPartition> partitions, bool is_lost) override;
  std::vector<TopicPartition> doubtful() override;
  void look_at(const kafka::CommittedMap& committed) override;
  Result<Offset> skip_lost(const TopicPartition& partition, Offset wanted) override;

  // Logs what comes, until `stop` is requested and all of it is logged.
  Status run_log(const std::stop_token& stop);
  // One group of it, if there is anything. Errors: the log's; nothing has changed then.
  Status log_group();
  // Publishes to ZooKeeper what has been committed, until `stop` is requested.
  void run_publish(const std::stop_token& stop);

  // No more than these offsets are wanted.
  void end_at(OffsetMap ends);
  // Blocks that were not cut after all, or that an earlier run left.
  void put_back(std::vector<Received> received);

  // All that is there for the next batch. While the caller holds the lock nothing is logged: what a
  // batch owns in the log is what was taken for it.
  std::unique_lock<std::mutex> hold_log();
  std::vector<Received> take();
  // What has been taken of them is in a batch that is done; its blocks come back.
  void processed(std::vector<Received> received);
  // Returns when a batch should be cut because memory is short, or after `longest`.
  void wait(std::chrono::milliseconds longest, const std::stop_token& stop);
  bool is_filling();

  // Records per second that the batches can keep up with, all members together.
  void set_rate(std::optional<double> rate);

  // The partitions that are received here.
  std::vector<TopicPartition> ours();
  // Of each of them: where the next batch begins.
  OffsetMap positions();
  // The same: up to where there is something to take.
  OffsetMap available();
  // Nobody needs to wait for anything any more.
  void abandon();

 private:
  struct Partition {
    bool is_ours = false;
    Offset received = 0;  // up to here it was submitted
    Offset taken = 0;     // up to here it is in batches
    Offset safe = 0;
    std::optional<Offset> acknowledged;  // where others would start
    std::optional<Offset> unpublished;   // Kafka has taken it, ZooKeeper not yet
  };

  // Of a partition: records that are counted here, or will be, and of which the group does not
  // know.
  OffsetRange unknown_to_group(const TopicPartition& name, const Partition& partition) const;

  Status check_free(const kafka::CommittedMap& wanted);
  Status log_starts(const OffsetMap& starts);
  bool wait_for_unlogged(const std::stop_token& stop);
  void note_full(bool is_full);
  void note_logged(const std::vector<wal::LoggedBlock>& logged);
  void forget(std::deque<Received>& queue, std::span<const TopicPartition> partitions);
  void recycle(BlockPtr block);
  Status publish(const std::vector<TopicPartition>& partitions);
  bool is_full() const;
  Status add_zookeeper(kafka::CommittedMap& committed);

  StartFinder& starts_;
  wal::WriteAheadLog* const log_;
  OffsetStore* const zookeeper_;
  Clock& clock_;
  const ReceptionOptions options_;
  const RecordBlock no_records_{0};

  std::mutex log_order_;  // taken before mutex_
  std::mutex zookeeper_mutex_;

  std::mutex mutex_;  // guards all that follows
  std::condition_variable_any changed_;
  std::map<TopicPartition, Partition> partitions_;
  OffsetMap final_ends_;
  std::deque<Received> unlogged_;
  std::deque<Received> untaken_;
  std::size_t unlogged_bytes_ = 0;
  std::size_t held_bytes_ = 0;  // of untaken blocks and those of the batch in hand
  std::vector<BlockPtr> free_;
  std::optional<double> rate_;
  bool is_log_full_ = false;
  bool is_abandoned_ = false;
};

}  // namespace kstream

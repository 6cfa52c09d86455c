// The write-ahead log of a receiving stream: what is in it is durable, so the offsets behind it may
// be committed; batches are cut from it, and what they have processed leaves it.
//
// Format: docs/FORMATS.md; docs/decisions/0006 says why.
// Contract: what append() and append_batch() were given is durable when they return ok, and whole
// or
//   not there after a crash before that. A batch owns all the blocks that were logged before it and
//   that no batch before owns.
// Thread: any; one group at a time is written. read() does not wait for a writer.
// Errors: 74. A full disk, or a log at its largest, is transient: nothing has changed, and the same
//   call may succeed after trim(). Any other failure lasts: nobody knows what is on the disk, every
//   later call gives the same error and touches nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/batch.h"
#include "model/offset.h"
#include "model/record_block.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "wal/log_state.h"
#include "wal/recovery.h"
#include "wal/segment_writer.h"

namespace kstream::wal {

struct Options {
  std::uint64_t bytes_max = std::uint64_t{1024} * 1024 * 1024;
  std::uint64_t segment_bytes = std::uint64_t{64} * 1024 * 1024;  // at most an eighth of bytes_max
  std::optional<std::uint64_t> seed;  // of every segment's hashes, instead of random ones
};

// What a new log goes on from, where its stream is not new. Nothing is in hand.
struct Beginning {
  OffsetMap ends;  // of each partition; all of it counts as acknowledged
  BatchId last_batch = 0;
  BatchTime last_time_ms = 0;
  Options options = {};
};

struct BlockToLog {
  const RecordBlock* block = nullptr;  // may hold no records
  OffsetRange covers;                  // begins at or above what the log has of its partition
};

// What an earlier run left.
struct Unprocessed {
  std::vector<LoggedBlock> planned;  // of `plan`
  std::optional<BatchPlan> plan;
  std::vector<LoggedBlock> unplanned;
};

class WriteAheadLog {
 public:
  // The first start: makes the directory with its first segment. Errors: 73, 74; 65 when a log is
  // there that holds something.
  static Result<std::unique_ptr<WriteAheadLog>> create(FileSystem& files, Clock& clock,
                                                       std::string directory,
                                                       const std::string& stream_uuid,
                                                       Options options);
  // The same, for a stream that is not new.
  static Result<std::unique_ptr<WriteAheadLog>> create_after(const Beginning& beginning,
                                                             FileSystem& files, Clock& clock,
                                                             std::string directory,
                                                             const std::string& stream_uuid);
  // Goes on with a log, whatever way its last writer ended. Errors: 65 damaged, 78 another
  // stream's, 74.
  static Result<std::unique_ptr<WriteAheadLog>> open(FileSystem& files, Clock& clock,
                                                     std::string directory,
                                                     const std::string& stream_uuid,
                                                     Options options);

  // Once, after open().
  Unprocessed take_unprocessed();
  // As it was recovered: where the log ended of each partition, and what was committed of it.
  const OffsetMap& ends() const { return recovered_ends_; }
  const OffsetMap& acknowledged() const { return recovered_acknowledged_; }
  // The last one planned, processed or not; 0: none.
  BatchId last_batch() const;
  BatchTime last_time_ms() const;

  // One group, one sync. Errors also: 65 for a block that can never be logged; nothing has changed.
  Result<std::vector<LoggedBlock>> append(std::span<const BlockToLog> blocks);
  // `processed` is done, and `plan` is the next batch, each if given, in one sync; what was
  // acknowledged before goes with it.
  Status append_batch(std::optional<BatchId> processed, const BatchPlan* plan);
  // Kafka or ZooKeeper has these offsets. Durable with the next group.
  void acknowledge(const OffsetMap& committed);

  // Errors: 65 when the block is damaged.
  Status read(const LoggedBlock& logged, RecordBlock& into);

  // Removes the oldest segments of which everything is processed and, for the partitions in `ours`,
  // acknowledged.
  Status trim(std::span<const TopicPartition> ours);
  // On the disk now.
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct NewFrame {
    FrameType type;
    std::uint32_t records = 0;
    std::string head;
    std::string_view content = {};
  };

  WriteAheadLog(FileSystem& files, Clock& clock, std::string directory, StreamId stream,
                Options options);
  static Result<std::unique_ptr<WriteAheadLog>> make(FileSystem& files, Clock& clock,
                                                     std::string directory,
                                                     const std::string& stream_uuid,
                                                     Options options);
  Status begin(const Beginning& beginning);
  Status go_on();
  Status remove_all(const std::vector<std::string>& names);

  // The step under the lock, with the lasting failure.
  template <class Step>
  Status guarded(Step step);
  Status append_now(std::span<const BlockToLog> blocks, std::vector<LoggedBlock>& logged);
  Status append_batch_now(std::optional<BatchId> processed, const BatchPlan* plan);
  Status trim_now(std::span<const TopicPartition> ours);
  Status check(const BlockToLog& block, const OffsetMap& ends) const;
  std::vector<NewFrame> first_frames(std::span<const OffsetRange> ranges);
  Result<std::vector<FramePlace>> write_group(const std::vector<NewFrame>& frames,
                                              bool has_records);
  Status make_room(std::uint64_t bytes, bool has_records);
  Status extend(std::uint64_t need, bool has_records);

  Status roll(bool gives_reserve);
  SegmentHeader header_after(std::uint64_t end, std::uint64_t hash, Sequence next) const;
  Result<std::unique_ptr<SegmentWriter>> successor(const SegmentHeader& header,
                                                   std::uint64_t reserve);
  Status begin_segment(std::unique_ptr<SegmentWriter> writer);
  Status use(std::unique_ptr<SegmentWriter> writer, Sequence next);
  std::uint64_t new_seed() const;
  void seeds_changed();
  bool may_go(const Segment& segment, std::span<const TopicPartition> ours) const;
  std::uint64_t bytes_now();
  // What recovery needs for its copy of a segment is kept free.
  std::uint64_t records_bytes_max() const { return options_.bytes_max - options_.segment_bytes; }
  Error full(std::uint64_t wanted);

  FileSystem& files_;
  Clock& clock_;
  const std::string directory_;
  const StreamId stream_;
  Options options_;
  std::uint64_t step_ = 0;     // a segment grows by so much,
  std::uint64_t reserve_ = 0;  // of which the last part is for frames without records

  mutable std::mutex mutex_;
  std::optional<Error> failure_;
  LogState state_;
  std::size_t topics_logged_ = 0;
  OffsetMap to_log_;  // acknowledged, not logged yet
  std::unique_ptr<SegmentWriter> writer_;
  Sequence next_sequence_ = 0;
  bool is_short_ = false;  // the last records were refused for want of space
  std::string group_;

  Unprocessed unprocessed_;
  OffsetMap recovered_ends_;
  OffsetMap recovered_acknowledged_;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::mutex seeds_mutex_;
  std::map<std::uint64_t, std::uint64_t> seeds_;  // by segment
};

}  // namespace kstream::wal

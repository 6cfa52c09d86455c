// What a group's member tells and asks of the program that it receives for.
//
// Thread: every member calls from its own; a partition is one member's at a time.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "kafka/group_positions.h"
#include "model/block_exchange.h"
#include "model/offset.h"

namespace kstream::kafka {

class Receiver {
 public:
  virtual ~Receiver() = default;

  // The partitions are the caller's from here on. What is wanted of each of them: from where on,
  // and up to where, at most.
  virtual Result<std::vector<OffsetRange>> start(const CommittedMap& committed) = 0;

  // Whether another block is wanted now.
  virtual bool has_room() = 0;
  // An empty block.
  virtual BlockPtr acquire() = 0;
  // The records of `covers`, the next ones of the partition; null when there are none in it.
  virtual void submit(BlockPtr block, const OffsetRange& covers) = 0;
  // Records per second that are wanted from this member; nothing: all.
  virtual std::optional<double> rate() = 0;

  // Up to where each may be committed.
  virtual OffsetMap safe(std::span<const TopicPartition> partitions) = 0;
  // The coordinator has taken these.
  virtual void committed(const OffsetMap& positions) = 0;

  // No more will be submitted. Returns when what was submitted is safe, or will not be.
  virtual void finish(std::span<const TopicPartition> partitions) = 0;
  // The partitions are no longer the caller's. After a loss what is not safe is forgotten, and what
  // is safe but not committed becomes doubtful.
  virtual void release(std::span<const TopicPartition> partitions, bool is_lost) = 0;

  // Partitions that are nobody's here, of which the receiver has records that the group does not
  // know of. Whoever takes one over claims it before it receives them again.
  virtual std::vector<TopicPartition> doubtful() = 0;
  // Where the group now is with them.
  virtual void look_at(const CommittedMap& committed) = 0;

  // The broker no longer has the offset. Where to go on, if one may.
  virtual Result<Offset> skip_lost(const TopicPartition& partition, Offset wanted) = 0;
};

}  // namespace kstream::kafka

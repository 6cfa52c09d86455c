// Where full and empty record blocks change hands between those who read and those who count.
// The number of blocks is fixed, so memory is bounded, and a reader that is faster than the
// counting waits for an empty block: that is the back-pressure. Blocks that somebody else keeps are
// lent.
//
// Thread: any number of readers (acquire, submit, lend) and counters (take, recycle).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/bounded_queue.h"
#include "model/record_block.h"

namespace kstream {

using BlockPtr = std::unique_ptr<RecordBlock>;

// A block to be counted.
class FilledBlock {
 public:
  explicit FilledBlock(BlockPtr own) : own_(std::move(own)), block_(own_.get()) {}
  explicit FilledBlock(const RecordBlock& lent) : block_(&lent) {}

  const RecordBlock& operator*() const { return *block_; }
  BlockPtr take_own() && { return std::move(own_); }  // null: it was lent

 private:
  BlockPtr own_;
  const RecordBlock* block_;
};

class BlockExchange {
 public:
  explicit BlockExchange(std::size_t blocks);

  // A block to fill; waits until one is empty.
  BlockPtr acquire();
  // Gives a block away: filled, to be counted.
  void submit(BlockPtr block);
  // Has a block counted that stays its owner's, and as it is until wait_until_idle() has returned.
  void lend(const RecordBlock& block);

  // The next filled block; waits for one. Nothing after close().
  std::optional<FilledBlock> take();
  // Gives a block back: counted.
  void recycle(FilledBlock block);

  // Returns when all that was submitted or lent has been recycled.
  void wait_until_idle();
  void close();

 private:
  BoundedQueue<BlockPtr> empty_;
  BoundedQueue<FilledBlock> filled_;
  std::mutex mutex_;
  std::condition_variable is_idle_;
  std::size_t out_ = 0;  // blocks that are not in empty_, and those lent
};

}  // namespace kstream

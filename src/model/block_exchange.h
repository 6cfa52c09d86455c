// Where full and empty record blocks change hands between those who read and those who count.
// The number of blocks is fixed, so memory is bounded, and a reader that is faster than the
// counting waits for an empty block: that is the back-pressure.
//
// Thread: any number of readers (acquire, submit) and counters (take, recycle).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>

#include "base/bounded_queue.h"
#include "model/record_block.h"

namespace kstream {

using BlockPtr = std::unique_ptr<RecordBlock>;

class BlockExchange {
 public:
  explicit BlockExchange(std::size_t blocks);

  // A block to fill; waits until one is empty.
  BlockPtr acquire();
  // Gives a block away: filled, to be counted.
  void submit(BlockPtr block);

  // The next filled block; waits for one. Nothing after close().
  std::optional<BlockPtr> take();
  // Gives a block back: counted, or never filled.
  void recycle(BlockPtr block);

  // Returns when all that was submitted has been recycled.
  void wait_until_idle();
  void close();

 private:
  BoundedQueue<BlockPtr> empty_;
  BoundedQueue<BlockPtr> filled_;
  std::mutex mutex_;
  std::condition_variable is_idle_;
  std::size_t out_ = 0;  // blocks that are not in empty_
};

}  // namespace kstream

#include "model/block_exchange.h"

#include <utility>

namespace kstream {

BlockExchange::BlockExchange(std::size_t blocks) : empty_(blocks), filled_(blocks) {
  for (std::size_t i = 0; i < blocks; ++i) {
    empty_.push(std::make_unique<RecordBlock>());
  }
}

BlockPtr BlockExchange::acquire() {
  std::optional<BlockPtr> block = empty_.pop();
  KS_CHECK(block);
  std::lock_guard lock(mutex_);
  ++out_;
  return *std::move(block);
}

void BlockExchange::submit(BlockPtr block) {
  filled_.push(FilledBlock(std::move(block)));
}

void BlockExchange::lend(const RecordBlock& block) {
  {
    std::lock_guard lock(mutex_);
    ++out_;
  }
  filled_.push(FilledBlock(block));
}

std::optional<FilledBlock> BlockExchange::take() {
  return filled_.pop();
}

void BlockExchange::recycle(FilledBlock block) {
  if (BlockPtr own = std::move(block).take_own()) {
    empty_.push(std::move(own));
  }
  std::lock_guard lock(mutex_);
  if (--out_ == 0) {
    is_idle_.notify_all();
  }
}

void BlockExchange::wait_until_idle() {
  std::unique_lock lock(mutex_);
  is_idle_.wait(lock, [&] { return out_ == 0; });
}

void BlockExchange::close() {
  filled_.close();
}

}  // namespace kstream

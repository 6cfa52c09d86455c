// Where batches go.
//
// Contract: write() returns when the batch is as safe there as the sink promises. A sink that keeps
//   the batch's id together with its counts, all or nothing, gets each batch once, whatever
//   crashes: one that it already holds is not written again.
// Thread: the batch thread.
#pragma once

#include <optional>

#include "base/result.h"
#include "model/batch.h"

namespace kstream {

class Sink {
 public:
  virtual ~Sink() = default;

  // Whether batches without an id (no records in any range) are wanted, too.
  virtual bool wants_empty_batches() const = 0;

  // The last batch that it holds; nothing if it holds none, or cannot know. Asked once, at the
  // start.
  virtual Result<std::optional<BatchId>> last_batch() = 0;

  virtual Status write(const BatchResult& result) = 0;
};

}  // namespace kstream

// Where batches go.
//
// Contract: write() returns when the batch is as safe there as the sink promises.
// Thread: the batch thread.
#pragma once

#include "base/result.h"
#include "model/batch.h"

namespace kstream {

class Sink {
 public:
  virtual ~Sink() = default;

  // Whether batches without an id (no records in any range) are wanted, too.
  virtual bool wants_empty_batches() const = 0;

  virtual Status write(const BatchResult& result) = 0;
};

}  // namespace kstream

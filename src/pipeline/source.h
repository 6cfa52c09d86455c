// Where batches come from.
//
// Contract: a plan is returned again, identical, until complete() succeeded, and is not changed by
//   what happens between. A batch is planned, read and completed before the next one is planned.
// Thread: the batch thread.
// Errors: transient ones (Error::is_transient) may be tried again with the next batch time.
#pragma once

#include <optional>
#include <stop_token>

#include "base/result.h"
#include "model/batch.h"
#include "model/block_exchange.h"
#include "model/stop.h"

namespace kstream {

class Source {
 public:
  virtual ~Source() = default;

  // The work up to now; nothing when the source has reached its end. May be empty of records: then
  // the ranges are there, empty, and the plan has no id.
  virtual Result<std::optional<BatchPlan>> plan(BatchTime time, const Stop& stop) = 0;

  // Submits every record of the plan once, per partition in offset order.
  virtual Status read(const BatchPlan& plan, BlockExchange& blocks,
                      const std::stop_token& abort) = 0;

  // The batch's counts are where they belong: from here on its records may be forgotten.
  virtual Status complete(const BatchPlan& plan) = 0;
};

}  // namespace kstream

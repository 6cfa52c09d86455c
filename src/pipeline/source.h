// Where batches come from.
//
// Contract: a plan with an id is durable when plan() returns it, and is returned again, identical,
//   until complete() succeeded, also after a crash. A batch is planned, read and completed before
//   the next one is planned.
// Thread: the batch thread.
// Errors: after a transient one (Error::is_transient) plan() may be called again, after any step.
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

  // The batch's counts are where they belong: from here on its records may be forgotten. Durable
  // with the next plan, or by settle().
  virtual Status complete(const BatchPlan& plan) = 0;

  // What complete() said is durable when it returns. For when there is time, and at the end.
  virtual Status settle() = 0;
};

}  // namespace kstream

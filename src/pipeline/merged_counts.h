// The words of all counters of a batch: in the first one's table when they fit into the memory of
// all, else as one run on a disk.
//
// Thread: the batch thread, while nobody counts and no counter has failed.
// Errors: 74 of the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "model/batch.h"
#include "pipeline/counter.h"
#include "spill/run.h"

namespace kstream {

class MergedCounts final : public CountedWords {
 public:
  // Valid until the counters are cleared.
  static Result<MergedCounts> merge(std::span<Counter> counters);

  const CountTotals& totals() const { return totals_; }

  std::uint64_t size() const override { return run_ ? run_->words() : table_->size(); }
  bool are_kept() const override { return !run_; }
  Status for_each(const Visit& visit) const override;

 private:
  MergedCounts() = default;

  CountTotals totals_;
  const WordTable* table_ = nullptr;
  std::optional<Run> run_;  // instead of the table
};

}  // namespace kstream

// Several runs of one order as one.
//
// Contract: in the order of words a word of several runs comes once, with the sum of its counts.
// Thread: one at a time.
// Limits: kRunsAtOnce are read side by side, each with a block in memory: 4 MiB. More than those
//   are first merged to fewer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/batch.h"
#include "model/presentation.h"
#include "spill/run.h"
#include "spill/scratch_space.h"
#include "spill/word_order.h"

namespace kstream {

class RunMerge {
 public:
  static constexpr std::size_t kRunsAtOnce = 64;

  // At most kRunsAtOnce runs, which it keeps.
  static Result<RunMerge> begin(std::vector<Run> runs, Order order);

  // Valid until the next call; null at the end.
  Result<const WordCount*> next();

 private:
  struct Head {
    PlacedWord word;
    std::size_t reader;
    // The standard library's heaps have the greatest one at the front.
    bool operator<(const Head& other) const { return other.word < word; }
  };

  RunMerge(std::vector<Run> runs, Order order);

  // The next word of the reader joins the others.
  Status advance(std::size_t reader);
  // The first word's reader.
  std::size_t take_first();

  std::vector<Run> runs_;
  Order order_;
  std::vector<RunReader> readers_;
  std::vector<Head> heads_;  // a heap
  std::string text_;
  WordCount word_;
};

// The runs as at most `runs_max` of them.
Status reduce(std::vector<Run>& runs, std::size_t runs_max, Order order, ScratchSpace& space);

}  // namespace kstream

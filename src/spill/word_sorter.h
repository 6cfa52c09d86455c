// The words of a batch in an order, all of them or the first few; those that memory does not hold
// go to a disk in between.
//
// Contract: add() for every word, each once; then finish(); then next() until it is null.
// Thread: one at a time.
// Errors: 74 of the disk.
// Limits: the memory that it is given, but some thousand words at least; for words from a disk also
//   what RunMerge needs.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/batch.h"
#include "model/presentation.h"
#include "spill/run_merge.h"
#include "spill/scratch_space.h"
#include "spill/word_order.h"
#include "words/arena.h"

namespace kstream {

class WordSorter {
 public:
  struct Options {
    Order order = Order::kCount;
    std::optional<std::size_t> top;  // so many of the words are wanted; nothing: all
    std::uint64_t words = 0;         // that will be added
    bool are_kept = false;           // they stay where they are: no copies are needed
    std::size_t memory_bytes = 0;
  };

  WordSorter(const Options& options, ScratchSpace& space);

  Status add(std::span<const WordCount> words);
  Status finish();
  // Valid until the next call.
  Result<const WordCount*> next();

 private:
  bool is_full() const { return words_.size() >= room_ || copies_.bytes() > copied_bytes_max_; }
  Status make_room();
  Status spill();
  void keep_first();

  const Options options_;
  ScratchSpace* space_;
  std::size_t top_;
  std::size_t room_;              // words
  std::size_t copied_bytes_max_;  // of their text
  std::vector<PlacedWord> words_;
  Arena copies_;
  std::vector<Run> runs_;
  std::optional<RunMerge> merge_;
  std::size_t given_ = 0;
};

// A batch's words in that order, to be taken by next().
Result<WordSorter> sort_words(const CountedWords& words, Order order,
                              std::optional<std::size_t> top, std::size_t memory_bytes,
                              ScratchSpace& space);

// Writes the words as a run in their order, which they are in afterwards.
Result<Run> write_run(std::span<PlacedWord> words, ScratchSpace& space);

}  // namespace kstream

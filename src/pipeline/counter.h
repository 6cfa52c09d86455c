// Counts the words of blocks into a table of its own: one for each counting thread.
//
// Thread: one at a time; between batches the batch thread, which merges and clears.
#pragma once

#include <cstdint>
#include <vector>

#include "model/batch.h"
#include "model/record_block.h"
#include "words/decoder.h"
#include "words/tokenizer.h"
#include "words/word_table.h"

namespace kstream {

struct CountOptions {
  Decoding decoding = Decoding::kUtf8;
  Split split = Split::kSpace;
};

class Counter {
 public:
  // Counters that are to be merged share the seed.
  Counter(const CountOptions& options, std::uint64_t hash_seed);

  void count(const RecordBlock& block);

  void merge_from(const Counter& other);
  void clear();

  const CountTotals& totals() const { return totals_; }
  // Each distinct word once; valid until the next call of count, merge_from or clear.
  std::vector<WordCount> counts() const;

 private:
  const CountOptions options_;
  Decoder decoder_;
  WordTable table_;
  CountTotals totals_;
};

}  // namespace kstream

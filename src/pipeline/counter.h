// Counts the words of blocks into a table of its own: one for each counting thread.
//
// Thread: one at a time; between batches the batch thread, which merges and clears.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
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
  void collect(std::string_view text);
  void add_collected();

  const CountOptions options_;
  Decoder decoder_;
  WordTable table_;
  CountTotals totals_;

  // Words not yet in the table; all of them lie in the block in hand, or all in the decoder.
  std::array<std::string_view, 64> words_;
  std::size_t collected_ = 0;
  const char* readable_end_ = nullptr;  // of the memory that they lie in
};

}  // namespace kstream

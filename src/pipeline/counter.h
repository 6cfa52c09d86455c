// Counts the words of blocks into a table of its own: one for each counting thread.
//
// Thread: one at a time; between batches the batch thread, which merges and clears.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/batch.h"
#include "model/record_block.h"
#include "words/decoder.h"
#include "words/kernel.h"
#include "words/tokenizer.h"
#include "words/word_table.h"

namespace kstream {

struct CountOptions {
  Decoding decoding = Decoding::kUtf8;
  Split split = Split::kSpace;
  const Kernel* kernel = kernels().front();
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
  bool collect_at_once(const char* memory, std::string_view value);
  void collect(const char* memory, std::string_view text);
  bool collect_spaced(const char* memory, std::string_view text);
  void collect_word(const char* memory, std::string_view word);
  void add_collected(const char* memory);

  const CountOptions options_;
  Decoder decoder_;
  WordTable table_;
  CountTotals totals_;
  WordList words_{};  // not yet in the table; all lie in the block in hand, or all in the decoder
};

}  // namespace kstream

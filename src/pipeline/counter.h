// Counts the words of blocks into a table of its own: one for each counting thread.
//
// Contract: a record's way is decode, split, filter, count. Of one that says nothing sensible the
//   options say what becomes; it is counted as invalid.
// Errors: 65 with topic, partition and offset, for such a record with kFail. From there on blocks
//   are taken and not counted, until clear().
// Thread: one at a time; between batches the batch thread, which merges and clears.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/batch.h"
#include "model/record_block.h"
#include "words/decoder.h"
#include "words/kernel.h"
#include "words/tokenizer.h"
#include "words/word_filter.h"
#include "words/word_table.h"

namespace kstream {

struct CountOptions {
  DecodeOptions decode;
  Split split = Split::kSpace;
  const Kernel* kernel = kernels().front();
  OnInvalid on_invalid = OnInvalid::kReplace;
  WordFilter filter;
};

class Counter {
 public:
  // Counters that are to be merged share the seed.
  Counter(const CountOptions& options, std::uint64_t hash_seed);

  void count(const RecordBlock& block);

  void merge_from(const Counter& other);
  void clear();

  const Status& status() const { return status_; }
  const CountOptions& options() const { return options_; }
  const CountTotals& totals() const { return totals_; }
  // Each distinct word once; valid until the next call of count, merge_from or clear.
  std::vector<WordCount> counts() const;

 private:
  // Where the collected words lie.
  enum class Place { kBlock, kCopies };

  bool collect_at_once(const char* memory, std::string_view value);
  Status collect_decoded(const char* memory, const TopicPartition& partition,
                         const RecordView& record);
  void collect(const char* memory, std::string_view text);
  bool collect_spaced(const char* memory, std::string_view text);
  void collect_word(const char* memory, std::string_view word);
  void collect_copy(const char* block_memory, std::string_view text);
  void collect_word_copy(const char* block_memory, std::string_view word);
  void go_to(Place place, const char* block_memory);
  void add_all(const char* block_memory);
  void add_copies();
  void add_collected(const char* memory);

  const CountOptions options_;
  Decoder decoder_;
  WordTable table_;
  CountTotals totals_;
  Status status_;
  WordList words_{};  // not yet in the table
  Place place_ = Place::kBlock;
  std::string copies_;    // texts and words that are not in the block in hand
  std::string filtered_;  // words as the filter leaves them
};

}  // namespace kstream

// Counts the words of blocks into a tally of its own: one for each counting thread.
//
// Contract: a record's way is decode, split, filter, count. Of one that says nothing sensible the
//   options say what becomes; it is counted as invalid. With a handler its decode takes the place
//   of the options', and its handle, which is not asked about a value that does not decode at all,
//   says then what counts: a text to be split, words as they are, or nothing. What the handler
//   returns must be UTF-8 as a value must; with kBytes it may be anything.
// Errors: 65 with topic, partition and offset, for such a record with kFail; 74 when the disk has
//   no room, or fails. From there on blocks are taken and not counted, until clear().
// Thread: one at a time; between batches the batch thread, which merges and clears.
// Limits: those of its tally.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "handler/handler.h"
#include "model/batch.h"
#include "model/record_block.h"
#include "pipeline/tally.h"
#include "spill/scratch_space.h"
#include "words/decoder.h"
#include "words/kernel.h"
#include "words/tokenizer.h"
#include "words/word_filter.h"

namespace kstream {

struct CountOptions {
  DecodeOptions decode;
  Split split = Split::kSpace;
  const Kernel* kernel = kernels().front();
  OnInvalid on_invalid = OnInvalid::kReplace;
  WordFilter filter;
  std::uint64_t memory_bytes = std::uint64_t{1} << 40;  // of each counter
  ScratchSpace* space = nullptr;  // for words beyond that; null: there are none
};

class Counter {
 public:
  // Counters that are to be merged share the seed.
  Counter(const CountOptions& options, std::uint64_t hash_seed,
          std::unique_ptr<Handler> handler = nullptr);

  // Once it has failed it counts nothing more.
  void count(const RecordBlock& block);
  // For the next batch.
  void clear();

  // Since clear(): whether all was counted, and what.
  const Status& status() const { return status_; }
  // What is wrong with the first invalid record, and which it is; empty when there is none.
  const std::string& first_problem() const { return first_problem_; }
  const CountTotals& totals() const { return totals_; }
  const Tally& tally() const { return tally_; }
  Tally& tally() { return tally_; }

  const CountOptions& options() const { return options_; }
  bool has_handler() const { return handler_ != nullptr; }

 private:
  // Where the collected words lie.
  enum class Place { kBlock, kCopies };

  bool collect_at_once(const char* memory, std::string_view value);
  Status collect_decoded(const char* memory, const TopicPartition& partition,
                         const RecordView& record);
  Status collect_handled(const char* memory, const TopicPartition& partition,
                         const RecordView& record);
  Status decode_and_handle(const char* memory, const TopicPartition& partition,
                           const RecordView& record);
  Status collect_returned(const char* memory, const TopicPartition& partition,
                          const RecordView& record, const Decoded& returned);
  Result<bool> may_count(const TopicPartition& partition, const RecordView& record,
                         const Decoded& decoded);
  bool collect(const char* memory, std::string_view text);
  bool collect_spaced(const char* memory, std::string_view text);
  bool collect_runs(const char* memory, std::string_view text, Separators separators);
  bool collect_runs_at_once(const char* memory, std::string_view text, Separators separators);
  void collect_word(const char* memory, std::string_view word);
  void collect_copy(const char* block_memory, std::string_view text);
  void collect_word_copy(const char* block_memory, std::string_view word);
  void go_to(Place place, const char* block_memory);
  void add_all(const char* block_memory);
  void add_copies();
  void add_collected(const char* memory);

  const CountOptions options_;
  Decoder decoder_;
  Decoder returned_;  // what a handler returns to text
  std::unique_ptr<Handler> handler_;
  Tally tally_;
  CountTotals totals_;
  Status status_;
  std::string first_problem_;
  WordList words_{};       // not yet in the table
  WordList ascii_runs_{};  // of one small text
  Place place_ = Place::kBlock;
  std::string copies_;    // texts and words that are not in the block in hand
  std::string filtered_;  // words as the filter leaves them
};

}  // namespace kstream

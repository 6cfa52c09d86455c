// Words and how often each was counted: in a table, and, when that has outgrown its memory, in runs
// on a disk.
//
// Thread: one at a time.
// Errors: 74 when the disk has no room, or fails; what is counted is of no use then.
// Limits: the memory that it is given, with what it takes to sort the words; and the words of one
//   list.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "spill/run.h"
#include "spill/scratch_space.h"
#include "words/kernel.h"
#include "words/word_table.h"

namespace kstream {

class Tally {
 public:
  // Tallies that are to be merged share the seed. `space` may be null where memory is enough.
  Tally(std::uint64_t hash_seed, std::uint64_t memory_bytes, ScratchSpace* space)
      : hash_seed_(hash_seed), memory_bytes_(memory_bytes), space_(space), table_(hash_seed) {}

  // As WordTable::add_each().
  Status add_each(const Kernel& kernel, const char* memory, const WordList& words);
  void clear();

  const WordTable& table() const { return table_; }
  bool has_runs() const { return !runs_.empty(); }
  std::uint64_t memory_bytes() const { return memory_bytes_; }
  ScratchSpace* space() const { return space_; }

  // Whether the words of both tables fit into so much memory, and can be sorted in it.
  bool can_merge(const Tally& other, std::uint64_t memory_bytes) const;
  // The table has the other table's words, too.
  void merge_from(const Tally& other) { table_.merge_from(other.table_); }
  // All words as runs in their order. The memory of the table is given back.
  Result<std::vector<Run>> take_runs();

 private:
  Status spill();

  std::uint64_t hash_seed_;
  std::uint64_t memory_bytes_;
  ScratchSpace* space_;
  WordTable table_;
  std::vector<Run> runs_;
};

}  // namespace kstream

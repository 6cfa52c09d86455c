// Words and how often each was seen: the heart of a batch.
//
// Contract: a word is any bytes; two are one when their bytes are equal. Views of words that
//   for_each gives hold until the table changes.
// Thread: one at a time; each counting thread fills its own table, and they are merged at the end.
// Limits: 4 GiB a word, 2^32 words of each class of lengths; counts wrap at 2^64. Words of up to 16
//   bytes: see key_table.h. Others have a slot of 24 bytes and their bytes.
// Source: the seed is secret to the process, else a producer could send words that all collide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "words/arena.h"
#include "words/buckets.h"
#include "words/kernel.h"
#include "words/key_table.h"

namespace kstream {

class WordTable {
 public:
  // Tables that are merged must have the same seed; a process draws one at its start.
  explicit WordTable(std::uint64_t seed);
  // A table that was moved from can only be assigned to or destroyed.
  WordTable(WordTable&&) = default;
  WordTable& operator=(WordTable&&) = default;

  // The word's count is higher by `count`. Allocates only when the word is new. A count of 0 leaves
  // the table as it is.
  void add(std::string_view word, std::uint64_t count = 1);

  // As add() for each of the words, which can be read for kReadableBeyond bytes behind their ends:
  // in much less time, for the slots of many are on their way from memory at once.
  void add_each(const Kernel& kernel, const char* memory, const WordList& words);

  // Each of the other table's words is added with its count.
  void merge_from(const WordTable& other);

  // No words. The memory stays for the next batch, less three quarters of the slots when the batch
  // that ends here filled under a sixteenth of them: after a huge batch, small ones give its memory
  // back within a few.
  void clear();

  std::size_t size() const { return short_.size() + middle_.size() + others_size_; }
  bool is_empty() const { return size() == 0; }
  // Memory held, kept capacity included.
  std::size_t bytes() const {
    return short_.bytes() + middle_.bytes() + others_.bytes() + arena_.bytes();
  }

  // Memory held while so many further words are added, when each is new: of any class, so
  // that each class has room for them.
  std::size_t bytes_to_add(std::size_t words) const {
    return short_.bytes_to_add(words) + middle_.bytes_to_add(words) +
           others_.bytes_to_add(others_size_, words) + arena_.bytes();
  }
  // The same for the other table's words, when each is new.
  std::size_t bytes_to_merge(const WordTable& other) const {
    return short_.bytes_to_add(other.short_.size()) + middle_.bytes_to_add(other.middle_.size()) +
           others_.bytes_to_add(others_size_, other.others_size_) + arena_.bytes() +
           other.arena_.bytes();
  }

  // Calls visit(std::string_view word, std::uint64_t count) once for each word, in no order that
  // means anything.
  template <class Visit>
  void for_each(Visit&& visit) const {
    short_.for_each(visit);
    middle_.for_each(visit);
    others_.for_each_place([&](const Slot& slot, std::size_t) { visit(slot.word(), slot.count); });
  }

 private:
  static constexpr std::size_t kOthersAhead = 64;  // of add_each

  // A word that is no key: above 16 bytes, ending with NUL, or empty.
  struct Slot {
    static constexpr std::size_t kPlaces = 1;
    std::uint64_t count;  // 0: free
    std::uint32_t hash;
    std::uint32_t length;  // bytes
    const char* bytes;     // in the arena

    bool is_free(std::size_t) const { return count == 0; }
    std::string_view word() const { return {bytes, length}; }
  };

  std::uint32_t hash_of_other(std::string_view word) const;
  void add_others(const char* memory, const WordList& words, const PackedWords& packed);
  void add_other(std::string_view word, std::uint32_t hash, std::uint64_t count);
  void grow_others();

  HashSeeds seeds_;
  KeyTable<ShortBucket> short_;
  KeyTable<MiddleBucket> middle_;
  Buckets<Slot> others_;
  std::size_t others_size_ = 0;
  Arena arena_;
};

}  // namespace kstream

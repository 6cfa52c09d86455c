// Words and how often each was seen: the heart of a batch.
//
// Contract: a word is any bytes; two are one when their bytes are equal. Views of words that
//   for_each gives hold until the table changes.
// Thread: one at a time; each counting thread fills its own table, and they are merged at the end.
// Limits: 4 GiB a word, 2^31 words; counts wrap at 2^64. Short words: see short_words.h. For others
// a
//   slot has 32 bytes and at most 5 of 8 are in use; a word above 16 bytes costs its length more.
// Source: linear probing over slots that hold words up to 16 bytes themselves, so that a repeated
//   word costs one cache line. The seed is secret to the process, else a producer could send words
//   that all collide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "words/arena.h"
#include "words/kernel.h"
#include "words/short_words.h"

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

  std::size_t size() const { return short_.size() + size_; }
  bool is_empty() const { return size() == 0; }
  // Memory held, kept capacity included.
  std::size_t bytes() const {
    return short_.bytes() + slots_.size() * sizeof(Slot) + arena_.bytes();
  }

  // Memory held while so many further words are added, when each is new and short: a part that
  // grows is there twice for a moment.
  std::size_t bytes_to_add(std::size_t words) const;

  // Calls visit(std::string_view word, std::uint64_t count) once for each word, in no order that
  // means anything.
  template <class Visit>
  void for_each(Visit&& visit) const {
    short_.for_each(visit);
    for_each_slot([&](const Slot& slot) { visit(slot.word(), slot.count); });
  }

 private:
  static constexpr std::size_t kInlineBytes = 16;
  static constexpr std::size_t kSlotsMin = 1024;
  static constexpr std::size_t kOthersAhead = 64;  // of add_each

  // A word's first bytes, padded with zeroes; for a word above kInlineBytes its address in the
  // arena and its first eight bytes.
  struct Key {
    std::uint64_t words[2];
    bool operator==(const Key&) const = default;
  };
  struct Slot {
    std::uint64_t count;  // 0: free
    std::uint32_t hash;
    std::uint32_t length;  // bytes
    Key key;

    bool is_inline() const { return length <= kInlineBytes; }
    const char* data() const {
      return is_inline() ? reinterpret_cast<const char*>(key.words)
                         : reinterpret_cast<const char*>(key.words[0]);
    }
    std::string_view word() const { return {data(), length}; }
  };
  static_assert(sizeof(Slot) == 32, "two slots a cache line");

  // Visits the slots in use, block by block in a scattered order. In the order of the slots they
  // would fill a smaller table with the same seed from one end, and make it one long cluster.
  template <class Visit>
  void for_each_slot(Visit&& visit) const {
    constexpr std::size_t kBlock = 128;  // slots: a page
    constexpr std::size_t kStride = 0x9E3779B1;
    const std::size_t blocks = slots_.size() / kBlock;
    for (std::size_t i = 0; i < blocks; ++i) {
      const Slot* const first = &slots_[(i * kStride & (blocks - 1)) * kBlock];
      for (const Slot* slot = first; slot != first + kBlock; ++slot) {
        if (slot->count != 0) {
          visit(*slot);
        }
      }
    }
  }

  static Key inline_key(std::string_view word);
  static Key inline_key(const char* word, std::size_t length);
  std::uint32_t hash_of_key(const Key& key, std::size_t length) const;
  std::uint32_t hash_of_long(std::string_view word) const;
  void add_others(const char* memory, const WordList& words, const PackedWords& packed);
  void add_inline(const Slot& word);
  void add_long(std::string_view word, std::uint32_t hash, std::uint64_t count);
  void fill(Slot& slot, const Slot& content);
  void grow();

  HashSeeds seeds_;
  ShortWords short_;
  std::size_t size_ = 0;
  std::size_t mask_;  // slots less one; their number is a power of two
  std::vector<Slot> slots_;
  Arena arena_;
};

}  // namespace kstream

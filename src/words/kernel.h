// The steps of counting for which a CPU's wide registers pay: finding the words of a text that has
// spaces between them, packing words into keys, counting the keys. One version per kind of CPU.
//
// Contract: all versions do the same. Memory can be read for kReadableBeyond bytes behind each
// text;
//   what is there makes no difference.
// Thread: any.
// Source: docs/decisions/0005-counting-kernel.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace kstream {

inline constexpr std::size_t kReadableBeyond = 64;
// Words that go through the steps together: 40 KiB, which stay in the nearest caches.
inline constexpr std::size_t kWordsAtOnce = 1024;
// A step writes whole registers: so many elements may be changed behind the last one.
inline constexpr std::size_t kWritableBeyond = 32;

// Words in one piece of memory, as offsets into it.
struct WordList {
  std::array<std::uint32_t, kWordsAtOnce + kWritableBeyond> begins;
  std::array<std::uint32_t, kWordsAtOnce + kWritableBeyond> ends;
  std::size_t size = 0;
};

// Secret to the process, else a producer could send words that all collide.
struct HashSeeds {
  std::uint64_t added;
  std::uint64_t factors[2];  // odd
  bool operator==(const HashSeeds&) const = default;
};

// A short word has 1 to 8 bytes, and the last one is not NUL: its bytes, padded with zeroes, are
// its key, which no other word has and which is not 0.
inline bool is_short(std::string_view word) {
  return !word.empty() && word.size() <= sizeof(std::uint64_t) && word.back() != '\0';
}

struct PackedWords {
  template <class T>
  using Array = std::array<T, kWordsAtOnce + kWritableBeyond>;
  Array<std::uint64_t> keys;  // of the short words
  Array<std::uint32_t> hashes;
  Array<std::uint32_t> others;   // places in the list
  Array<std::uint32_t> unknown;  // places among the keys
  std::size_t size = 0;
  std::size_t others_size = 0;
  std::size_t unknown_size = 0;
};

// Four keys and how often each was seen: a cache line. Those in use come first; 0: free.
struct alignas(64) WordBucket {
  std::uint64_t keys[4];
  std::uint64_t counts[4];
};

struct Kernel {
  std::string_view name;
  // The list's last word is open: it has a begin only. Each space from `from` until `until` ends
  // the open word and begins the next. The list has room for as many words. True for ASCII only.
  bool (*find_words)(const char* memory, std::uint32_t from, std::uint32_t until, WordList& words);
  // Makes keys and hashes of the list's short words, and lists the others.
  void (*pack)(const char* memory, const WordList& words, const HashSeeds& seeds,
               PackedWords& packed);
  // Counts each key that is in the bucket of its hash, and lists the unknown ones. The number of
  // buckets is a power of two.
  void (*count)(std::span<WordBucket> buckets, PackedWords& packed);
};

// Keys are mixed by two factors that nobody knows; the upper half of a product depends on all bits.
inline std::uint32_t hash_of(std::uint64_t key, const HashSeeds& seeds) {
  std::uint64_t hash = (key ^ seeds.added) * seeds.factors[0];
  hash = (hash ^ hash >> 32) * seeds.factors[1];
  return static_cast<std::uint32_t>(hash >> 32);
}

// Those that this CPU can run, the fastest first.
std::span<const Kernel* const> kernels();

}  // namespace kstream

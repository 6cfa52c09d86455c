// The steps of counting for which a CPU's wide registers pay: finding the words of a text, packing
// words into keys, counting the keys. One version per kind of CPU.
//
// Contract: all versions do the same. Memory can be read for kReadableBeyond bytes behind each
//   text; what is there makes no difference.
// Thread: any.
// Source: docs/decisions/0005-counting-kernel.md.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace kstream {

inline constexpr std::size_t kReadableBeyond = 64;
// Words that go through the steps together: 130 KiB, which stay in a cache of their core.
inline constexpr std::size_t kWordsAtOnce = 2048;
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

// A short word has 1 to 8 bytes, a middle one 9 to 16, and the last one is not NUL: its bytes,
// padded with zeroes, are its key, which no other word has and whose last integer is not 0.
using ShortKey = std::uint64_t;
struct MiddleKey {
  std::uint64_t low;   // the first eight bytes
  std::uint64_t high;  // the others
  bool operator==(const MiddleKey&) const = default;
};

// The word, inside the key.
inline std::string_view word_of(const ShortKey& key) {
  const auto padding = static_cast<std::size_t>(std::countl_zero(key)) / 8;
  return {reinterpret_cast<const char*>(&key), sizeof(key) - padding};
}
inline std::string_view word_of(const MiddleKey& key) {
  const auto padding = static_cast<std::size_t>(std::countl_zero(key.high)) / 8;
  return {reinterpret_cast<const char*>(&key), sizeof(key) - padding};
}

template <class T>
using PackedArray = std::array<T, kWordsAtOnce + kWritableBeyond>;

template <class Key>
struct PackedKeys {
  PackedArray<Key> keys;
  PackedArray<std::uint32_t> homes;    // the buckets to which the keys belong
  PackedArray<std::uint32_t> unknown;  // places among the keys
  std::size_t buckets = 0;             // among so many
  std::size_t size = 0;
  std::size_t unknown_size = 0;
};

struct PackedWords {
  PackedKeys<ShortKey> short_words;
  PackedKeys<MiddleKey> middle_words;
  PackedArray<std::uint32_t> others;  // places in the list
  std::size_t others_size = 0;
  std::size_t empty_words = 0;  // which are in none of the lists
};

// Four keys and how often each was seen. Those in use come first.
struct alignas(64) ShortBucket {  // a cache line
  using Key = ShortKey;
  static constexpr std::size_t kPlaces = 4;
  Key keys[kPlaces];
  std::uint64_t counts[kPlaces];
  bool is_free(std::size_t place) const { return keys[place] == 0; }
};
struct alignas(32) MiddleBucket {  // half of three cache lines
  using Key = MiddleKey;
  static constexpr std::size_t kPlaces = 4;
  Key keys[kPlaces];
  std::uint64_t counts[kPlaces];
  bool is_free(std::size_t place) const { return keys[place].high == 0; }
};
static_assert(sizeof(MiddleBucket) == 96);

// What the bytes of a run are not.
enum class Separators {
  kWhitespace,      // of ASCII
  kNoLetterOrDigit  // of ASCII: what is neither
};

struct Kernel {
  std::string_view name;
  // The list's last word is open: it has a begin only. Each space from `from` until `until` ends
  // the open word and begins the next. The list has room for as many words. True for ASCII only.
  bool (*find_words)(const char* memory, std::uint32_t from, std::uint32_t until, WordList& words);
  // Adds the runs of other bytes than separators to the list, which has room for as many words. All
  // bytes beyond ASCII belong to runs; true when there are none.
  bool (*find_runs)(Separators separators, const char* memory, std::uint32_t from,
                    std::uint32_t until, WordList& words);
  // Makes keys of the list's short and middle words, says where they belong, and lists the others.
  void (*pack)(const char* memory, const WordList& words, const HashSeeds& seeds,
               PackedWords& packed);
  // Counts each key that is in the bucket to which it belongs, and lists the unknown ones.
  void (*count_short)(std::span<ShortBucket> buckets, PackedKeys<ShortKey>& packed);
  void (*count_middle)(std::span<MiddleBucket> buckets, PackedKeys<MiddleKey>& packed);
};

// Where a hash belongs among any number of buckets below 2^32: a higher hash in no lower one.
inline std::uint32_t home_of(std::uint32_t hash, std::size_t buckets) {
  return static_cast<std::uint32_t>(hash * std::uint64_t{buckets} >> 32);
}

// Keys are mixed by factors that nobody knows. A product's upper bits depend on all others, the
// lower ones do not: each time the upper half goes into the lower one before. With fewer steps,
// keys that differ in a few bytes only would be crowded into few buckets.
inline std::uint32_t hash_of(ShortKey key, const HashSeeds& seeds) {
  std::uint64_t hash = key ^ seeds.added;
  hash = (hash ^ hash >> 32) * seeds.factors[0];
  return static_cast<std::uint32_t>((hash ^ hash >> 32) * seeds.factors[1]);
}

// Both halves of a product of which neither factor can be known: what wyhash and XXH3 do with up to
// 16 bytes. Once more by a factor: without it, with one seed in twelve, keys that differ in their
// lowest bytes only would be crowded into few buckets.
inline std::uint32_t hash_of(const MiddleKey& key, const HashSeeds& seeds) {
  __extension__ typedef unsigned __int128 Product;
  const Product product = Product{key.low ^ seeds.added} * (key.high ^ seeds.factors[0]);
  const auto folded = static_cast<std::uint64_t>(product ^ product >> 64);
  return static_cast<std::uint32_t>(folded * seeds.factors[1] >> 32);
}

// Those that this CPU can run, the fastest first.
std::span<const Kernel* const> kernels();

}  // namespace kstream

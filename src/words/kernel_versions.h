// What the kernels' files share: their names, and steps that are the same text for several CPUs,
// inlined so that each file makes its own CPU's code of them.
#pragma once

#include <bit>
#include <cstring>

#include "words/kernel.h"

namespace kstream {

extern const Kernel kScalarKernel;
#if defined(__x86_64__)
extern const Kernel kAvx2Kernel;
extern const Kernel kAvx512Kernel;
void count_short_with_avx2(std::span<ShortBucket> buckets, PackedKeys<ShortKey>& packed);
void count_middle_with_avx2(std::span<MiddleBucket> buckets, PackedKeys<MiddleKey>& packed);
#endif

// Keys whose buckets are on their way from memory; with more, the first would be gone again.
inline constexpr std::size_t kBucketsAhead = 16;

template <class Bucket>
[[gnu::always_inline]] inline void prefetch(const Bucket& bucket) {
  __builtin_prefetch(&bucket, 1);
  if constexpr (sizeof(Bucket) > 64) {
    __builtin_prefetch(&bucket.counts[Bucket::kPlaces - 1], 1);
  }
}

[[gnu::always_inline]] inline std::uint64_t low_bits(std::uint64_t count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

// Ends a word at each of the bits and returns the new size of the list, which the caller keeps in a
// register. Eight at a time: a branch for each would be guessed wrong once a text, which costs as
// much as finding all of its words.
[[gnu::always_inline]] inline std::size_t end_words(std::uint32_t at, std::uint64_t spaces,
                                                    WordList& words, std::size_t size) {
  const auto count = static_cast<std::size_t>(std::popcount(spaces));
  std::uint32_t* end = words.ends.data() + size;
  std::uint32_t* begin = words.begins.data() + size + 1;
  for (std::size_t done = 0; done < count; done += 8) {
    for (int i = 0; i < 8; ++i) {
      const std::uint32_t space = at + static_cast<std::uint32_t>(std::countr_zero(spaces));
      *end++ = space;
      *begin++ = space + 1;
      spaces &= spaces - 1;
    }
  }
  return size + count;
}

// The same for one of a run's two edges.
[[gnu::always_inline]] inline std::size_t add_places(std::uint32_t at, std::uint64_t bits,
                                                     std::uint32_t* list, std::size_t size) {
  const auto count = static_cast<std::size_t>(std::popcount(bits));
  list += size;
  for (std::size_t done = 0; done < count; done += 8) {
    for (int i = 0; i < 8; ++i) {
      *list++ = at + static_cast<std::uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
  }
  return size + count;
}

// Where runs begin and end, out of a bit for each byte that belongs to one; `before` is the bit of
// the byte before, and becomes the last one.
struct RunEdges {
  std::uint64_t begins;
  std::uint64_t ends;
};
[[gnu::always_inline]] inline RunEdges edges_of(std::uint64_t inside, std::uint64_t& before) {
  const std::uint64_t shifted = inside << 1 | before;
  before = inside >> 63;
  return {inside & ~shifted, shifted & ~inside};
}

// Makes the key that a word of 1 to 8 bytes has. 1, or 0 for other lengths and a NUL at the end: of
// comparisons the compiler would make branches, which nobody can predict.
[[gnu::always_inline]] inline std::uint64_t make_key(const char* word, std::uint32_t length,
                                                     std::uint64_t& key) {
  std::memcpy(&key, word, sizeof(key));
  const std::uint32_t unused_bits = (64 - 8 * length) & 63;
  key <<= unused_bits;  // the word's last byte is the uppermost
  const std::uint64_t has_length = (std::uint64_t{length - 1} - 8) >> 63;
  const std::uint64_t has_end = ((key >> 56) + 0xFF) >> 8;
  key >>= unused_bits;
  return has_length & has_end;
}

[[gnu::always_inline]] inline void pack_short(const char* memory, const WordList& words,
                                              const HashSeeds& seeds, PackedWords& packed) {
  PackedKeys<ShortKey>& found = packed.short_words;
  std::size_t size = 0;
  std::size_t others = 0;
  for (std::size_t i = 0; i < words.size; ++i) {
    const std::uint32_t length = words.ends[i] - words.begins[i];
    ShortKey key = 0;
    const std::uint64_t is_short = make_key(memory + words.begins[i], length, key);
    found.keys[size] = key;
    found.homes[size] = home_of(hash_of(key, seeds), found.buckets);
    size += is_short;
    packed.others[others] = static_cast<std::uint32_t>(i);
    others += (is_short ^ 1) & -std::uint64_t{length} >> 63;  // no empty ones
  }
  found.size = size;
  packed.others_size = others;
}

// Makes keys of those of the others that are middle words.
[[gnu::always_inline]] inline void pack_middle(const char* memory, const WordList& words,
                                               const HashSeeds& seeds, PackedWords& packed) {
  PackedKeys<MiddleKey>& found = packed.middle_words;
  std::size_t size = 0;
  std::size_t others = 0;
  for (std::size_t i = 0; i < packed.others_size; ++i) {
    const std::uint32_t index = packed.others[i];
    const char* const word = memory + words.begins[index];
    const std::uint32_t length = words.ends[index] - words.begins[index];
    MiddleKey key{};
    std::memcpy(&key.low, word, sizeof(key.low));
    const std::uint64_t is_middle = make_key(word + sizeof(key.low), length - 8, key.high);
    found.keys[size] = key;
    found.homes[size] = home_of(hash_of(key, seeds), found.buckets);
    size += is_middle;
    packed.others[others] = index;
    others += is_middle ^ 1;
  }
  found.size = size;
  packed.empty_words = words.size - packed.short_words.size - packed.others_size;
  packed.others_size = others;
}

}  // namespace kstream

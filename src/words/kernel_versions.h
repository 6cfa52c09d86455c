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
void count_with_avx2(std::span<WordBucket> buckets, PackedWords& packed);
#endif

// Keys whose buckets are on their way from memory; with more, the first would be gone again.
inline constexpr std::size_t kBucketsAhead = 16;

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

[[gnu::always_inline]] inline void pack_each(const char* memory, const WordList& words,
                                             const HashSeeds& seeds, PackedWords& packed) {
  std::size_t size = 0;
  std::size_t others = 0;
  for (std::size_t i = 0; i < words.size; ++i) {
    const std::uint32_t length = words.ends[i] - words.begins[i];
    std::uint64_t key = 0;
    std::memcpy(&key, memory + words.begins[i], sizeof(key));
    const std::uint32_t unused_bits = (64 - 8 * length) & 63;
    key <<= unused_bits;  // the word's last byte is the uppermost
    const bool is_short = (length - 1 < 8) & (key >> 56 != 0);
    key >>= unused_bits;
    packed.keys[size] = key;
    packed.hashes[size] = hash_of(key, seeds);
    size += is_short ? 1 : 0;
    packed.others[others] = static_cast<std::uint32_t>(i);
    others += is_short ? 0 : 1;
  }
  packed.size = size;
  packed.others_size = others;
}

}  // namespace kstream

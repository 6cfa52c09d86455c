#include <algorithm>

#include "words/kernel_versions.h"

namespace kstream {
namespace {

static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");

constexpr std::uint64_t kHighBits = 0x8080808080808080;

// The high bit of each of eight bytes.
std::uint64_t high_bits_of(std::uint64_t bytes) {
  return (bytes & kHighBits) * 0x0002040810204081 >> 56;
}

bool find_words(const char* memory, std::uint32_t from, std::uint32_t until, WordList& words) {
  std::uint64_t beyond_ascii = 0;
  std::size_t size = words.size;
  for (std::uint64_t at = from; at < until; at += 64) {
    std::uint64_t high = 0;
    std::uint64_t spaces = 0;
    for (unsigned i = 0; i < 64; i += 8) {
      std::uint64_t bytes = 0;
      std::memcpy(&bytes, memory + at + i, sizeof(bytes));
      const std::uint64_t other = bytes ^ 0x2020202020202020;  // a space becomes 0
      const std::uint64_t is_other = ((other & ~kHighBits) + ~kHighBits) | other;
      high |= high_bits_of(bytes) << i;
      spaces |= high_bits_of(~is_other) << i;
    }
    const std::uint64_t inside = low_bits(until - at);
    beyond_ascii |= high & inside;
    size = end_words(static_cast<std::uint32_t>(at), spaces & inside, words, size);
  }
  words.size = size;
  return beyond_ascii == 0;
}

void pack(const char* memory, const WordList& words, const HashSeeds& seeds, PackedWords& packed) {
  pack_each(memory, words, seeds, packed);
}

void count(std::span<WordBucket> buckets, PackedWords& packed) {
  const auto mask = static_cast<std::uint32_t>(buckets.size() - 1);
  std::size_t unknown = 0;
  std::fill_n(packed.hashes.data() + packed.size, kBucketsAhead, 0);
  for (std::size_t i = 0; i < packed.size; ++i) {
    __builtin_prefetch(&buckets[packed.hashes[i + kBucketsAhead] & mask], 1);
    WordBucket& bucket = buckets[packed.hashes[i] & mask];
    const std::uint64_t key = packed.keys[i];
    const std::size_t place = (bucket.keys[1] == key ? 1U : 0U) +
                              (bucket.keys[2] == key ? 2U : 0U) + (bucket.keys[3] == key ? 3U : 0U);
    const bool is_known = bucket.keys[place] == key;
    bucket.counts[place] += is_known ? 1 : 0;
    packed.unknown[unknown] = static_cast<std::uint32_t>(i);
    unknown += is_known ? 0 : 1;
  }
  packed.unknown_size = unknown;
}

}  // namespace

const Kernel kScalarKernel{"scalar", find_words, pack, count};

}  // namespace kstream

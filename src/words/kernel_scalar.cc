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

// The high bit of each byte, all below 0x80, that lies between the two.
std::uint64_t between(std::uint64_t bytes, unsigned char first, unsigned char last) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  return (bytes + kEach * (0x80U - first)) & ~(bytes + kEach * (0x7FU - last)) & kHighBits;
}

std::uint64_t separators_among(Separators separators, std::uint64_t bytes) {
  const std::uint64_t ascii = bytes & ~kHighBits;
  const std::uint64_t found =
      separators == Separators::kWhitespace
          ? between(ascii, '\t', '\r') | between(ascii, ' ', ' ')
          : ~(between(ascii | 0x2020202020202020, 'a', 'z') | between(ascii, '0', '9'));
  return found & ~bytes;
}

bool find_runs(Separators separators, const char* memory, std::uint32_t from, std::uint32_t until,
               WordList& words) {
  std::uint64_t beyond_ascii = 0;
  std::uint64_t before = 0;
  std::size_t begins = words.size;
  std::size_t ends = words.size;
  for (std::uint64_t at = from; at < until; at += 64) {
    std::uint64_t high = 0;
    std::uint64_t separating = 0;
    for (unsigned i = 0; i < 64; i += 8) {
      std::uint64_t bytes = 0;
      std::memcpy(&bytes, memory + at + i, sizeof(bytes));
      high |= high_bits_of(bytes) << i;
      separating |= high_bits_of(separators_among(separators, bytes)) << i;
    }
    const std::uint64_t inside = low_bits(until - at);
    beyond_ascii |= high & inside;
    const RunEdges edges = edges_of(inside & ~separating, before);
    begins = add_places(static_cast<std::uint32_t>(at), edges.begins, words.begins.data(), begins);
    ends = add_places(static_cast<std::uint32_t>(at), edges.ends, words.ends.data(), ends);
  }
  words.ends[ends] = until;
  words.size = begins;
  return beyond_ascii == 0;
}

void pack(const char* memory, const WordList& words, const HashSeeds& seeds, PackedWords& packed) {
  pack_short(memory, words, seeds, packed);
  pack_middle(memory, words, seeds, packed);
}

template <class Bucket>
void count(std::span<Bucket> buckets, PackedKeys<typename Bucket::Key>& packed) {
  std::size_t unknown = 0;
  std::fill_n(packed.homes.data() + packed.size, kBucketsAhead, 0);
  for (std::size_t i = 0; i < packed.size; ++i) {
    prefetch(buckets[packed.homes[i + kBucketsAhead]]);
    Bucket& bucket = buckets[packed.homes[i]];
    const auto key = packed.keys[i];
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

const Kernel kScalarKernel{"scalar", find_words,         find_runs,
                           pack,     count<ShortBucket>, count<MiddleBucket>};

}  // namespace kstream

#include "words/kernel_versions.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Not the compiler's options for this file: then what it makes of inline functions in headers could
// end up in the rest of the program, which has to run on any CPU.
#define KS_AVX2 [[gnu::target("avx2,bmi,bmi2,popcnt")]]

namespace kstream {
namespace {

KS_AVX2 inline __m256i load(const void* at) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}

KS_AVX2 inline std::uint64_t high_bits_of(__m256i low, __m256i high) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
         std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(high))} << 32;
}

KS_AVX2 bool find_words(const char* memory, std::uint32_t from, std::uint32_t until,
                        WordList& words) {
  const __m256i space = _mm256_set1_epi8(' ');
  std::uint64_t beyond_ascii = 0;
  std::size_t size = words.size;
  for (std::uint64_t at = from; at < until; at += 64) {
    const __m256i low = load(memory + at);
    const __m256i high = load(memory + at + 32);
    const std::uint64_t inside = low_bits(until - at);
    beyond_ascii |= high_bits_of(low, high) & inside;
    const std::uint64_t spaces =
        high_bits_of(_mm256_cmpeq_epi8(low, space), _mm256_cmpeq_epi8(high, space));
    size = end_words(static_cast<std::uint32_t>(at), spaces & inside, words, size);
  }
  words.size = size;
  return beyond_ascii == 0;
}

KS_AVX2 inline __m256i each(char byte) {
  return _mm256_set1_epi8(byte);
}

// Bytes are compared as signed numbers: those beyond ASCII are less than all others.
KS_AVX2 inline __m256i between(__m256i bytes, char first, char last) {
  return _mm256_and_si256(_mm256_cmpgt_epi8(bytes, each(static_cast<char>(first - 1))),
                          _mm256_cmpgt_epi8(each(static_cast<char>(last + 1)), bytes));
}

// Whose high bits say which bytes belong to runs.
KS_AVX2 inline __m256i inside_runs(Separators separators, __m256i bytes) {
  if (separators == Separators::kWhitespace) {
    const __m256i found = _mm256_or_si256(between(bytes, '\t', '\r'), between(bytes, ' ', ' '));
    return _mm256_xor_si256(found, each(-1));
  }
  const __m256i letters = between(_mm256_or_si256(bytes, each(' ')), 'a', 'z');
  return _mm256_or_si256(_mm256_or_si256(letters, between(bytes, '0', '9')), bytes);
}

KS_AVX2 bool find_runs(Separators separators, const char* memory, std::uint32_t from,
                       std::uint32_t until, WordList& words) {
  std::uint64_t beyond_ascii = 0;
  std::uint64_t before = 0;
  std::size_t begins = words.size;
  std::size_t ends = words.size;
  for (std::uint64_t at = from; at < until; at += 64) {
    const __m256i low = load(memory + at);
    const __m256i high = load(memory + at + 32);
    const std::uint64_t inside = low_bits(until - at);
    beyond_ascii |= high_bits_of(low, high) & inside;
    const RunEdges edges = edges_of(
        inside & high_bits_of(inside_runs(separators, low), inside_runs(separators, high)), before);
    begins = add_places(static_cast<std::uint32_t>(at), edges.begins, words.begins.data(), begins);
    ends = add_places(static_cast<std::uint32_t>(at), edges.ends, words.ends.data(), ends);
  }
  words.ends[ends] = until;
  words.size = begins;
  return beyond_ascii == 0;
}

KS_AVX2 void pack(const char* memory, const WordList& words, const HashSeeds& seeds,
                  PackedWords& packed) {
  pack_short(memory, words, seeds, packed);
  pack_middle(memory, words, seeds, packed);
}

// The place of the key in its bucket, and whether it is there; if not, the place is any one.
struct Place {
  std::size_t index;
  bool is_known;
};

KS_AVX2 inline unsigned places_of(__m256i is_equal) {
  return static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(is_equal)));
}

KS_AVX2 inline Place find(const ShortBucket& bucket, ShortKey key) {
  const __m256i wanted = _mm256_set1_epi64x(static_cast<long long>(key));
  const unsigned found = places_of(_mm256_cmpeq_epi64(load(bucket.keys), wanted));
  return {static_cast<std::size_t>(std::countr_zero(found)) & 3, found != 0};
}

KS_AVX2 inline Place find(const MiddleBucket& bucket, const MiddleKey& key) {
  const __m256i wanted =
      _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&key)));
  const unsigned halves = places_of(_mm256_cmpeq_epi64(load(&bucket.keys[0]), wanted)) |
                          places_of(_mm256_cmpeq_epi64(load(&bucket.keys[2]), wanted)) << 4;
  const unsigned found = halves & halves >> 1 & 0x55;
  return {static_cast<std::size_t>(std::countr_zero(found)) / 2 & 3, found != 0};
}

template <class Bucket>
KS_AVX2 void count(std::span<Bucket> buckets, PackedKeys<typename Bucket::Key>& packed) {
  Bucket* const first = buckets.data();
  std::memset(packed.homes.data() + packed.size, 0, kBucketsAhead * sizeof(packed.homes[0]));
  std::size_t unknown = 0;
  for (std::size_t i = 0; i < packed.size; ++i) {
    prefetch(first[packed.homes[i + kBucketsAhead]]);
    Bucket& bucket = first[packed.homes[i]];
    const Place place = find(bucket, packed.keys[i]);
    // No branch on what was found: an unknown key adds nothing to some count.
    bucket.counts[place.index] += place.is_known ? 1 : 0;
    packed.unknown[unknown] = static_cast<std::uint32_t>(i);
    unknown += place.is_known ? 0 : 1;
  }
  packed.unknown_size = unknown;
}

}  // namespace

KS_AVX2 void count_short_with_avx2(std::span<ShortBucket> buckets, PackedKeys<ShortKey>& packed) {
  count(buckets, packed);
}

KS_AVX2 void count_middle_with_avx2(std::span<MiddleBucket> buckets,
                                    PackedKeys<MiddleKey>& packed) {
  count(buckets, packed);
}

const Kernel kAvx2Kernel{
    "avx2", find_words, find_runs, pack, count_short_with_avx2, count_middle_with_avx2};

}  // namespace kstream
#endif

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

KS_AVX2 void pack(const char* memory, const WordList& words, const HashSeeds& seeds,
                  PackedWords& packed) {
  pack_each(memory, words, seeds, packed);
}

}  // namespace

KS_AVX2 void count_with_avx2(std::span<WordBucket> buckets, PackedWords& packed) {
  WordBucket* const first = buckets.data();
  const auto mask = static_cast<std::uint32_t>(buckets.size() - 1);
  std::memset(packed.hashes.data() + packed.size, 0, kBucketsAhead * sizeof(packed.hashes[0]));
  std::size_t unknown = 0;
  for (std::size_t i = 0; i < packed.size; ++i) {
    __builtin_prefetch(first + (packed.hashes[i + kBucketsAhead] & mask), 1);
    WordBucket& bucket = first[packed.hashes[i] & mask];
    const __m256i key = _mm256_set1_epi64x(static_cast<long long>(packed.keys[i]));
    const __m256i is_equal = _mm256_cmpeq_epi64(load(bucket.keys), key);
    const auto found = static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(is_equal)));
    // No branch on what was found: an unknown key adds nothing to the first count.
    bucket.counts[std::countr_zero(found) & 3] += found != 0 ? 1 : 0;
    packed.unknown[unknown] = static_cast<std::uint32_t>(i);
    unknown += found != 0 ? 0 : 1;
  }
  packed.unknown_size = unknown;
}

const Kernel kAvx2Kernel{"avx2", find_words, pack, count_with_avx2};

}  // namespace kstream
#endif

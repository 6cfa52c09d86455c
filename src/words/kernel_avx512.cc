#include "words/kernel_versions.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KS_AVX512 \
  [[gnu::target(  \
      "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2,avx2,bmi,bmi2,popcnt")]]  // see
                                                                                // kernel_avx2.cc

namespace kstream {
namespace {

KS_AVX512 inline __m512i each(std::uint64_t value) {
  return _mm512_set1_epi64(static_cast<long long>(value));
}

KS_AVX512 inline __m512i load_numbers(const std::uint32_t* at) {
  return _mm512_cvtepu32_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}

KS_AVX512 inline void store_numbers(std::uint32_t* at, __m512i numbers) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm512_cvtepi64_epi32(numbers));
}

// As add_places() for up to 16 bits.
KS_AVX512 inline __m512i places_of(std::uint32_t at, std::uint64_t bits) {
  alignas(64) static constexpr auto kNumbers = [] {
    std::array<std::uint8_t, 64> numbers{};
    for (std::uint8_t i = 0; i < 64; ++i) {
      numbers[i] = i;
    }
    return numbers;
  }();
  const __m512i numbers = _mm512_load_si512(kNumbers.data());
  const __m128i found = _mm512_castsi512_si128(_mm512_maskz_compress_epi8(bits, numbers));
  return _mm512_add_epi32(_mm512_cvtepu8_epi32(found), _mm512_set1_epi32(static_cast<int>(at)));
}

KS_AVX512 bool find_words(const char* memory, std::uint32_t from, std::uint32_t until,
                          WordList& words) {
  std::uint64_t beyond_ascii = 0;
  std::size_t size = words.size;
  for (std::uint64_t at = from; at < until; at += 64) {
    const __m512i bytes = _mm512_loadu_si512(memory + at);
    const std::uint64_t inside = low_bits(until - at);
    beyond_ascii |= _mm512_movepi8_mask(bytes) & inside;
    const std::uint64_t spaces = _mm512_mask_cmpeq_epi8_mask(inside, bytes, _mm512_set1_epi8(' '));
    const auto count = static_cast<std::size_t>(std::popcount(spaces));
    if (count > 16) [[unlikely]] {
      size = end_words(static_cast<std::uint32_t>(at), spaces, words, size);
      continue;
    }
    const __m512i ends = places_of(static_cast<std::uint32_t>(at), spaces);
    _mm512_storeu_si512(words.ends.data() + size, ends);
    _mm512_storeu_si512(words.begins.data() + size + 1,
                        _mm512_add_epi32(ends, _mm512_set1_epi32(1)));
    size += count;
  }
  words.size = size;
  return beyond_ascii == 0;
}

KS_AVX512 inline std::uint64_t between(__m512i bytes, char first, char last) {
  const __m512i above = _mm512_sub_epi8(bytes, _mm512_set1_epi8(first));
  return _mm512_cmple_epu8_mask(above, _mm512_set1_epi8(static_cast<char>(last - first)));
}

KS_AVX512 inline std::uint64_t inside_runs(Separators separators, __m512i bytes) {
  if (separators == Separators::kWhitespace) {
    return ~(between(bytes, '\t', '\r') | between(bytes, ' ', ' '));
  }
  return between(_mm512_or_si512(bytes, _mm512_set1_epi8(' ')), 'a', 'z') |
         between(bytes, '0', '9') | _mm512_movepi8_mask(bytes);
}

KS_AVX512 bool find_runs(Separators separators, const char* memory, std::uint32_t from,
                         std::uint32_t until, WordList& words) {
  std::uint64_t beyond_ascii = 0;
  std::uint64_t before = 0;
  std::size_t begins = words.size;
  std::size_t ends = words.size;
  for (std::uint64_t at = from; at < until; at += 64) {
    const __m512i bytes = _mm512_loadu_si512(memory + at);
    const std::uint64_t inside = low_bits(until - at);
    beyond_ascii |= _mm512_movepi8_mask(bytes) & inside;
    const RunEdges edges = edges_of(inside & inside_runs(separators, bytes), before);
    const auto place = static_cast<std::uint32_t>(at);
    const auto begins_count = static_cast<std::size_t>(std::popcount(edges.begins));
    if (begins_count > 15) [[unlikely]] {  // there can be one end more
      begins = add_places(place, edges.begins, words.begins.data(), begins);
      ends = add_places(place, edges.ends, words.ends.data(), ends);
      continue;
    }
    _mm512_storeu_si512(words.begins.data() + begins, places_of(place, edges.begins));
    _mm512_storeu_si512(words.ends.data() + ends, places_of(place, edges.ends));
    begins += begins_count;
    ends += static_cast<std::size_t>(std::popcount(edges.ends));
  }
  words.ends[ends] = until;
  words.size = begins;
  return beyond_ascii == 0;
}

// As pack_short(), eight words at a time. A shift by 64 bits or more gives 0, so that empty and
// long words have no last byte and are not short.
KS_AVX512 inline void pack_short_with_avx512(const char* memory, const WordList& words,
                                             const HashSeeds& seeds, PackedWords& packed) {
  PackedKeys<ShortKey>& found = packed.short_words;
  std::size_t size = 0;
  std::size_t others = 0;
  __m512i places = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  for (std::size_t i = 0; i < words.size; i += 8) {
    const auto inside = static_cast<__mmask8>(low_bits(words.size - i));
    const __m512i begins = load_numbers(&words.begins[i]);
    const __m512i lengths = _mm512_sub_epi64(load_numbers(&words.ends[i]), begins);
    const __m512i unused_bits = _mm512_sub_epi64(each(64), _mm512_slli_epi64(lengths, 3));
    __m512i keys = _mm512_mask_i64gather_epi64(each(0), inside, begins, memory, 1);
    keys = _mm512_sllv_epi64(keys, unused_bits);
    const __mmask8 is_short =
        _mm512_mask_cmpge_epu64_mask(inside, keys, each(std::uint64_t{1} << 56));
    keys = _mm512_srlv_epi64(keys, unused_bits);
    __m512i hashes = _mm512_xor_si512(keys, each(seeds.added));
    hashes = _mm512_xor_si512(hashes, _mm512_srli_epi64(hashes, 32));
    hashes = _mm512_mullo_epi64(hashes, each(seeds.factors[0]));
    hashes = _mm512_xor_si512(hashes, _mm512_srli_epi64(hashes, 32));
    hashes = _mm512_mul_epu32(hashes, each(seeds.factors[1]));  // of which the lower half counts
    const auto is_other =
        _mm512_mask_test_epi64_mask(static_cast<__mmask8>(inside & ~is_short), lengths, lengths);
    _mm512_storeu_si512(&found.keys[size], _mm512_maskz_compress_epi64(is_short, keys));
    const __m512i homes = _mm512_srli_epi64(_mm512_mul_epu32(hashes, each(found.buckets)), 32);
    store_numbers(&found.homes[size], _mm512_maskz_compress_epi64(is_short, homes));
    store_numbers(&packed.others[others], _mm512_maskz_compress_epi64(is_other, places));
    size += static_cast<std::size_t>(std::popcount(unsigned{is_short}));
    others += static_cast<std::size_t>(std::popcount(unsigned{is_other}));
    places = _mm512_add_epi64(places, each(8));
  }
  found.size = size;
  packed.others_size = others;
}

KS_AVX512 void pack(const char* memory, const WordList& words, const HashSeeds& seeds,
                    PackedWords& packed) {
  pack_short_with_avx512(memory, words, seeds, packed);
  pack_middle(memory, words, seeds, packed);
}

}  // namespace

const Kernel kAvx512Kernel{
    "avx512", find_words, find_runs, pack, count_short_with_avx2, count_middle_with_avx2};

}  // namespace kstream
#endif

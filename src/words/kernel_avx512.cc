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

KS_AVX512 bool find_words(const char* memory, std::uint32_t from, std::uint32_t until,
                          WordList& words) {
  alignas(64) static constexpr auto kNumbers = [] {
    std::array<std::uint8_t, 64> numbers{};
    for (std::uint8_t i = 0; i < 64; ++i) {
      numbers[i] = i;
    }
    return numbers;
  }();
  const __m512i numbers = _mm512_load_si512(kNumbers.data());
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
    const __m128i found = _mm512_castsi512_si128(_mm512_maskz_compress_epi8(spaces, numbers));
    const __m512i ends =
        _mm512_add_epi32(_mm512_cvtepu8_epi32(found), _mm512_set1_epi32(static_cast<int>(at)));
    _mm512_storeu_si512(words.ends.data() + size, ends);
    _mm512_storeu_si512(words.begins.data() + size + 1,
                        _mm512_add_epi32(ends, _mm512_set1_epi32(1)));
    size += count;
  }
  words.size = size;
  return beyond_ascii == 0;
}

// As pack_each(), eight words at a time. A shift by 64 bits or more gives 0, so that empty and long
// words have no last byte and are not short.
KS_AVX512 void pack(const char* memory, const WordList& words, const HashSeeds& seeds,
                    PackedWords& packed) {
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
    hashes = _mm512_mullo_epi64(hashes, each(seeds.factors[0]));
    hashes = _mm512_xor_si512(hashes, _mm512_srli_epi64(hashes, 32));
    hashes = _mm512_srli_epi64(_mm512_mullo_epi64(hashes, each(seeds.factors[1])), 32);
    const auto is_other = static_cast<__mmask8>(inside & ~is_short);
    _mm512_storeu_si512(&packed.keys[size], _mm512_maskz_compress_epi64(is_short, keys));
    store_numbers(&packed.hashes[size], _mm512_maskz_compress_epi64(is_short, hashes));
    store_numbers(&packed.others[others], _mm512_maskz_compress_epi64(is_other, places));
    size += static_cast<std::size_t>(std::popcount(unsigned{is_short}));
    others += static_cast<std::size_t>(std::popcount(unsigned{is_other}));
    places = _mm512_add_epi64(places, each(8));
  }
  packed.size = size;
  packed.others_size = others;
}

}  // namespace

const Kernel kAvx512Kernel{"avx512", find_words, pack, count_with_avx2};

}  // namespace kstream
#endif

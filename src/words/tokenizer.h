// Text to words.
//
//   kSpace       Python's split(" "): the texts between spaces, empty ones too; "" is one empty
//                word
//   kJava        Java's split(" "): the same without the empty words at the end; "" is one empty
//                word, " " is none
//   kWhitespace  the runs without Unicode White_Space; never empty
//   kWords       the runs of letters, numbers (N*) and marks that begin with a letter or number; a
//                joiner (ZWJ, ZWNJ) between two of them belongs to the word. Marks and joiners that
//                follow no letter, as an emoji's variation selector, are separators
//
// Contract: kSpace and kJava separate at U+0020 only. Words are views into the text. Bytes that are
//   not valid UTF-8 are ordinary characters of a word for all but kWords, for which they separate.
// Thread: any.
// Source: docs.python.org str.split, java.lang.String.split, PropList.txt (White_Space).
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/names.h"

namespace kstream {

enum class Split { kSpace, kJava, kWhitespace, kWords };

inline constexpr Named<Split> kSplitNames[] = {{"space", Split::kSpace},
                                               {"java", Split::kJava},
                                               {"whitespace", Split::kWhitespace},
                                               {"words", Split::kWords}};

// The next word of a kWhitespace or kWords text, which loses everything up to the word's end. Empty
// when there is none left.
std::string_view take_whitespace_word(std::string_view& text);
std::string_view take_unicode_word(std::string_view& text);

// Bit i tells whether byte i of the 64 at `at` is a space.
inline std::uint64_t spaces_of_64(const char* at) {
  std::uint64_t spaces = 0;
#if defined(__SSE2__)
  for (int i = 0; i < 64; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + i));
    const int found = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')));
    spaces |= static_cast<std::uint64_t>(found) << i;
  }
#else
  for (int i = 0; i < 64; ++i) {
    spaces |= static_cast<std::uint64_t>(at[i] == ' ') << i;
  }
#endif
  return spaces;
}

// Calls emit for each text between spaces, which are found 64 bytes at a time: a search for each
// took a quarter of the counting.
template <class Emit>
void for_each_piece(std::string_view text, Emit& emit) {
  const char* begin = text.data();
  const char* at = begin;
  const char* const end = begin + text.size();
  const auto emit_up_to = [&](std::uint64_t spaces) {
    for (; spaces != 0; spaces &= spaces - 1) {
      const char* const space = at + std::countr_zero(spaces);
      emit(std::string_view(begin, static_cast<std::size_t>(space - begin)));
      begin = space + 1;
    }
  };
  for (; end - at >= 64; at += 64) {
    emit_up_to(spaces_of_64(at));
  }
  const auto left = static_cast<std::size_t>(end - at);
  if (left > 0 && text.size() >= 64) {
    emit_up_to(spaces_of_64(end - 64) >> (64 - left));
  } else if (left > 0) {
    char padded[64] = {};
    std::memcpy(padded, at, left);
    emit_up_to(spaces_of_64(padded));
  }
  emit(std::string_view(begin, static_cast<std::size_t>(end - begin)));
}

// Calls emit(std::string_view) for each word in the order of the text.
template <class Emit>
void for_each_word(Split split, std::string_view text, Emit&& emit) {
  switch (split) {
    case Split::kJava:
      if (!text.empty()) {
        const std::size_t last = text.find_last_not_of(' ');
        if (last == std::string_view::npos) {
          return;
        }
        text = text.substr(0, last + 1);
      }
      [[fallthrough]];
    case Split::kSpace:
      for_each_piece(text, emit);
      return;
    case Split::kWhitespace:
      for (auto word = take_whitespace_word(text); !word.empty();
           word = take_whitespace_word(text)) {
        emit(word);
      }
      return;
    case Split::kWords:
      for (auto word = take_unicode_word(text); !word.empty(); word = take_unicode_word(text)) {
        emit(word);
      }
      return;
  }
}

}  // namespace kstream

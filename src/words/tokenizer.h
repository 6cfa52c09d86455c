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

#include <cstddef>
#include <optional>
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

inline std::string_view take_word(Split split, std::string_view& text) {
  return split == Split::kWhitespace ? take_whitespace_word(text) : take_unicode_word(text);
}

// What of a kJava text is split at spaces: all but those at its end. Nothing when it has no words.
inline std::optional<std::string_view> java_part(std::string_view text) {
  const std::size_t last = text.find_last_not_of(' ');
  if (last == std::string_view::npos && !text.empty()) {
    return std::nullopt;
  }
  return text.substr(0, last + 1);
}

// Calls emit(std::string_view) for each word in the order of the text. Counting finds words with
// a kernel; this is what it is held against, and what words beyond ASCII take.
template <class Emit>
void for_each_word(Split split, std::string_view text, Emit&& emit) {
  switch (split) {
    case Split::kJava:
      if (const auto part = java_part(text)) {
        for_each_word(Split::kSpace, *part, emit);
      }
      return;
    case Split::kSpace: {
      std::size_t begin = 0;
      for (auto end = text.find(' '); end != text.npos; end = text.find(' ', begin)) {
        emit(text.substr(begin, end - begin));
        begin = end + 1;
      }
      emit(text.substr(begin));
      return;
    }
    case Split::kWhitespace:
    case Split::kWords:
      for (auto word = take_word(split, text); !word.empty(); word = take_word(split, text)) {
        emit(word);
      }
      return;
  }
}

}  // namespace kstream

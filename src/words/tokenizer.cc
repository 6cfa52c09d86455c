#include "words/tokenizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace kstream {
namespace {

// What a character is to kWords.
enum class Part : std::uint8_t { kSeparator, kLetter, kMark, kJoiner };

struct Character {
  std::size_t bytes;
  Part part;
};

using ByteSet = std::array<bool, 256>;

template <class Predicate>
constexpr ByteSet bytes_where(Predicate predicate) {
  ByteSet set{};
  for (std::size_t i = 0; i < set.size(); ++i) {
    set[i] = predicate(static_cast<unsigned char>(i));
  }
  return set;
}

inline bool contains(const ByteSet& set, char byte) {
  return set[static_cast<unsigned char>(byte)];
}

// Letters and digits of ASCII.
constexpr ByteSet kAsciiLetters = bytes_where([](unsigned char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= 'a' && byte <= 'z');
});

// What a White_Space character can begin with: U+0009..U+000D, the space, and the lead bytes of
// U+0085 and U+00A0 (C2), U+1680 (E1), U+2000..U+205F (E2), U+3000 (E3).
constexpr ByteSet kWhitespaceLeads = bytes_where([](unsigned char byte) {
  return byte == ' ' || (byte >= 0x09 && byte <= 0x0D) || byte == 0xC2 ||
         (byte >= 0xE1 && byte <= 0xE3);
});

Part part_of(utf8proc_int32_t code_point) {
  constexpr utf8proc_int32_t kZeroWidthNonJoiner = 0x200C;
  constexpr utf8proc_int32_t kZeroWidthJoiner = 0x200D;
  if (code_point == kZeroWidthNonJoiner || code_point == kZeroWidthJoiner) {
    return Part::kJoiner;
  }
  const utf8proc_category_t category = utf8proc_category(code_point);
  if ((category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
      (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO)) {
    return Part::kLetter;
  }
  return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME ? Part::kMark
                                                                              : Part::kSeparator;
}

inline Character first_character(const char* at, const char* end) {
  const auto byte = static_cast<unsigned char>(*at);
  if (byte < 0x80) {
    return {1, contains(kAsciiLetters, *at) ? Part::kLetter : Part::kSeparator};
  }
  utf8proc_int32_t code_point = 0;
  const utf8proc_ssize_t bytes =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(at), end - at, &code_point);
  if (bytes < 1) {
    return {1, Part::kSeparator};
  }
  return {static_cast<std::size_t>(bytes), part_of(code_point)};
}

// The length of the White_Space character at the front, or 0. Its bytes are compared as they are:
// a lead byte is never inside another character, so this holds in text that is not valid too.
inline std::size_t whitespace_bytes(const char* at, const char* end) {
  const auto byte = static_cast<unsigned char>(*at);
  if (byte < 0x80) {
    return contains(kWhitespaceLeads, *at) ? 1 : 0;
  }
  const std::string_view rest(at, static_cast<std::size_t>(std::min<std::ptrdiff_t>(end - at, 3)));
  if (byte == 0xC2) {
    return rest.starts_with("\xC2\x85") || rest.starts_with("\xC2\xA0") ? 2 : 0;
  }
  if (rest.size() < 3) {
    return 0;
  }
  const auto last = static_cast<unsigned char>(rest[2]);
  const bool is_general_punctuation =
      rest.starts_with("\xE2\x80") &&
      ((last >= 0x80 && last <= 0x8A) || last == 0xA8 || last == 0xA9 || last == 0xAF);
  return is_general_punctuation || rest == "\xE1\x9A\x80" || rest == "\xE2\x81\x9F" ||
                 rest == "\xE3\x80\x80"
             ? 3
             : 0;
}

// The text from `begin` to `end`; `text` keeps what follows.
std::string_view take(std::string_view& text, const char* begin, const char* end) {
  const char* text_end = text.data() + text.size();
  text = {end, static_cast<std::size_t>(text_end - end)};
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view take_whitespace_word(std::string_view& text) {
  const char* begin = text.data();
  const char* const end = begin + text.size();
  while (begin != end) {
    const std::size_t bytes = whitespace_bytes(begin, end);
    if (bytes == 0) {
      break;
    }
    begin += bytes;
  }
  const char* at = begin;
  while (at != end && (!contains(kWhitespaceLeads, *at) || whitespace_bytes(at, end) == 0)) {
    ++at;
  }
  return take(text, begin, at);
}

std::string_view take_unicode_word(std::string_view& text) {
  const char* begin = text.data();
  const char* const end = begin + text.size();
  while (begin != end) {
    const Character character = first_character(begin, end);
    if (character.part == Part::kLetter) {
      break;
    }
    begin += character.bytes;
  }
  const char* word_end = begin;
  for (const char* at = begin; at != end;) {
    if (contains(kAsciiLetters, *at)) {
      word_end = ++at;
      continue;
    }
    const Character character = first_character(at, end);
    if (character.part == Part::kSeparator) {
      break;
    }
    at += character.bytes;
    if (character.part != Part::kJoiner) {
      word_end = at;
    }
  }
  return take(text, begin, word_end);
}

}  // namespace kstream

#include "words/case_fold.h"

#include <utf8proc.h>

#include <array>
#include <cstddef>

namespace kstream {
namespace {

// What two bytes of UTF-8 hold: the letters of Europe and the Near East.
constexpr std::int32_t kNearEnd = 0x800;

inline unsigned char ascii_folded(unsigned char byte) {
  return static_cast<unsigned char>(byte + (byte >= 'A' && byte <= 'Z' ? 'a' - 'A' : 0));
}

std::int32_t find_folded(std::int32_t code_point) {
  // The library has the full folding, which makes "ss" of a sharp s. Where that gives more than one
  // character, the simple one is the small letter, but for these.
  switch (code_point) {
    case 0x0130:  // I with dot above: an i in Turkish only
      return code_point;
    case 0x1FD3:  // iota and upsilon with dialytika and oxia: the same with tonos
      return 0x0390;
    case 0x1FE3:
      return 0x03B0;
    case 0xFB05:  // ligature long s t
      return 0xFB06;
    default:
      break;
  }
  constexpr utf8proc_ssize_t kFoldedMax = 4;
  utf8proc_int32_t folded[kFoldedMax];
  int last_class = UTF8PROC_BOUNDCLASS_START;
  const utf8proc_ssize_t characters =
      utf8proc_decompose_char(code_point, folded, kFoldedMax, UTF8PROC_CASEFOLD, &last_class);
  return characters == 1 ? folded[0] : utf8proc_tolower(code_point);
}

std::array<std::int16_t, kNearEnd> fold_near() {
  std::array<std::int16_t, kNearEnd> folded{};
  for (std::int32_t i = 0; i < kNearEnd; ++i) {
    folded[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(find_folded(i));
  }
  return folded;
}

}  // namespace

std::int32_t fold_case(std::int32_t code_point) {
  static const std::array<std::int16_t, kNearEnd> kNear = fold_near();
  return code_point < kNearEnd ? kNear[static_cast<std::size_t>(code_point)]
                               : find_folded(code_point);
}

void append_folded(std::string_view word, std::string& text) {
  const std::size_t begin = text.size();
  text += word;
  unsigned char seen = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    seen |= byte;
    text[i] = static_cast<char>(ascii_folded(byte));
  }
  if (seen < 0x80) {
    return;
  }
  constexpr std::size_t kCharacterBytesMax = 4;
  text.resize(begin + word.size() * kCharacterBytesMax);
  auto* at = reinterpret_cast<utf8proc_uint8_t*>(text.data() + begin);
  while (!word.empty()) {
    if (const auto byte = static_cast<unsigned char>(word[0]); byte < 0x80) {
      *at++ = ascii_folded(byte);
      word.remove_prefix(1);
      continue;
    }
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t bytes =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(word.data()),
                         static_cast<utf8proc_ssize_t>(word.size()), &code_point);
    if (bytes < 1) {
      *at++ = static_cast<utf8proc_uint8_t>(word[0]);
      word.remove_prefix(1);
      continue;
    }
    at += utf8proc_encode_char(fold_case(code_point), at);
    word.remove_prefix(static_cast<std::size_t>(bytes));
  }
  text.resize(static_cast<std::size_t>(reinterpret_cast<char*>(at) - text.data()));
}

}  // namespace kstream

// Unicode's simple case folding (C and S of CaseFolding.txt): one character for each, whatever the
// locale.
//
// Thread: any.
// Source: CaseFolding.txt of the Unicode version that utf8proc has, and of 15.1 for three ligatures
//   that are older than their folding.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kstream {

std::int32_t fold_case(std::int32_t code_point);

// Appends the word, folded. Bytes that are not UTF-8 stay as they are.
void append_folded(std::string_view word, std::string& text);

}  // namespace kstream

// What of a record is to be counted, and what is done about a record that says nothing sensible.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/names.h"

namespace kstream {

// A text to be split, or words as they are. Views hold until the next call of who made them, and no
// longer than the record's bytes.
struct Decoded {
  std::string_view text;
  std::span<const std::string_view> words;
  bool is_list = false;  // the words count; without any the record has none

  // What is wrong with the record, as the end of a sentence about its value; empty: nothing. Text
  // or words are then what can be had of it all the same.
  std::string_view problem;
  std::optional<std::size_t> problem_at;  // byte of the value
};

enum class OnInvalid {
  kReplace,  // what can be had of the record counts
  kSkip,     // the record has no words
  kFail      // the run ends before any of the batch is written
};

inline constexpr Named<OnInvalid> kOnInvalidNames[] = {
    {"replace", OnInvalid::kReplace}, {"skip", OnInvalid::kSkip}, {"fail", OnInvalid::kFail}};

}  // namespace kstream

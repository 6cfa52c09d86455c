// Which words count, and as what: folded, long enough, no stop words, in this order.
//
// Contract: a character is a code point; a byte that is not UTF-8 is one, too. Stop words are
//   compared after folding and are folded themselves.
// Thread: any, each with room of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "words/kernel.h"

namespace kstream {

class WordFilter {
 public:
  // Lets everything through.
  WordFilter() = default;
  WordFilter(bool folds, std::size_t characters_min, std::span<const std::string> stop_words);

  bool is_on() const { return folds_ || characters_min_ > 0 || !stop_words_.empty(); }

  // Takes from the list the words that do not count. Returns the memory in which the others lie
  // now: the same, or that of `room`, whose content is replaced.
  const char* keep_wanted(const char* memory, WordList& words, std::string& room) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  bool is_wanted(std::string_view word) const;

  bool folds_ = false;
  std::size_t characters_min_ = 0;
  std::unordered_set<std::string, Hash, std::equal_to<>> stop_words_;
};

}  // namespace kstream

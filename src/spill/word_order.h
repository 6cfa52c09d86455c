// Words with their counts, made comparable.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "model/batch.h"
#include "model/presentation.h"

namespace kstream {

// A word at its place in an order: by `key`, then by bytes, which char_traits compare as unsigned.
struct PlacedWord {
  std::uint64_t key;
  WordCount word;

  bool operator<(const PlacedWord& other) const {
    return key != other.key ? key < other.key : word.word < other.word.word;
  }
};

// Most comparisons are those of the keys: in the order of words the first eight bytes.
inline PlacedWord placed(const WordCount& word, Order order) {
  if (order == Order::kCount) {
    return {~word.count, word};
  }
  std::uint64_t key = 0;
  if (word.word.size() >= sizeof(key)) {
    std::memcpy(&key, word.word.data(), sizeof(key));
  } else if (!word.word.empty()) {
    std::memcpy(&key, word.word.data(), word.word.size());
  }
  return {__builtin_bswap64(key), word};
}

}  // namespace kstream

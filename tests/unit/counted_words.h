// A batch's words as tests make them and look at them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "model/batch.h"
#include "words/word_table.h"

namespace kstream {

using WordMap = std::map<std::string, std::uint64_t>;

// Words of a list; `are_kept` as wanted: if not, each is gone after the visit.
class ListedWords final : public CountedWords {
 public:
  ListedWords() = default;
  explicit ListedWords(std::vector<std::pair<std::string, std::uint64_t>> words,
                       bool are_kept = true)
      : words_(std::move(words)), are_kept_(are_kept) {}

  std::uint64_t size() const override { return words_.size(); }
  bool are_kept() const override { return are_kept_; }
  Status for_each(const Visit& visit) const override {
    for (const auto& [word, count] : words_) {
      std::string gone = word;
      const WordCount visited{are_kept_ ? word : gone, count};
      KS_TRY(visit({&visited, 1}));
      std::fill(gone.begin(), gone.end(), '#');
    }
    return {};
  }

 private:
  std::vector<std::pair<std::string, std::uint64_t>> words_;
  bool are_kept_ = true;
};

inline WordMap map_of(const CountedWords& words) {
  WordMap map;
  REQUIRE(words
              .for_each([&](std::span<const WordCount> some) {
                for (const WordCount& word : some) {
                  CHECK(map.emplace(word.word, word.count).second);
                }
                return Status();
              })
              .ok());
  CHECK(map.size() == words.size());
  return map;
}

inline WordMap map_of(const WordTable& table) {
  WordMap map;
  table.for_each(
      [&](std::string_view word, std::uint64_t count) { CHECK(map.emplace(word, count).second); });
  CHECK(map.size() == table.size());
  return map;
}

}  // namespace kstream

#include "pipeline/counter.h"

#include <algorithm>
#include <map>
#include <string>

#include "catch.h"

namespace kstream {

TEST_CASE("counter: repaired texts, nulls and long records between others, each word once") {
  RecordBlock block;
  block.start({"lines", 0});
  std::map<std::string, std::uint64_t> expected;
  std::uint64_t words = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "w" + std::to_string(i % 10);
    std::string text = name;
    // Some records have more words than are collected at a time.
    const int repetitions = i % 50 == 0 ? 200 : i % 4;
    for (int j = 0; j < repetitions; ++j) {
      text += " " + name;
    }
    if (i % 3 == 0) {
      text += " bad\xFF";
      ++expected["bad\xEF\xBF\xBD"];
      ++words;
    }
    expected[name] += static_cast<std::uint64_t>(repetitions) + 1;
    words += static_cast<std::uint64_t>(repetitions) + 1;
    CHECK(block.append({2 * i, 0, std::nullopt, text}));
    CHECK(block.append({2 * i + 1, 0, std::nullopt, std::nullopt}));
  }
  Counter counter({}, 7);
  counter.count(block);
  std::map<std::string, std::uint64_t> counts;
  for (const WordCount& word : counter.counts()) {
    counts[std::string(word.word)] = word.count;
  }
  CHECK(counts == expected);
  CHECK(counter.totals().records == 2000);
  CHECK(counter.totals().nulls == 1000);
  CHECK(counter.totals().invalid == 334);
  CHECK(counter.totals().words == words);
}

}  // namespace kstream

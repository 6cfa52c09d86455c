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

TEST_CASE("counter: texts longer than the words at once, valid or not, of every split and kernel") {
  for (const Kernel* kernel : kernels()) {
    for (const auto& [name, split] : kSplitNames) {
      INFO(kernel->name << " " << name);
      RecordBlock block;
      block.start({"lines", 0});
      std::map<std::string, std::uint64_t> expected;
      Offset offset = 0;
      for (const std::size_t length : {0U, 1U, 511U, 512U, 513U, 1023U, 1024U, 5000U}) {
        for (const std::string piece :
             {"a ", " ", "ab cdefghijkl ", "x", "\xC3\xA9 ", "y\xFF z "}) {
          std::string text;
          std::string repaired;
          while (text.size() < length) {
            text += piece;
            repaired += piece == "y\xFF z " ? "y\xEF\xBF\xBD z " : piece;
          }
          CHECK(block.append({offset++, 0, std::nullopt, text}));
          for_each_word(split, repaired,
                        [&](std::string_view word) { ++expected[std::string(word)]; });
        }
      }
      CountOptions options;
      options.split = split;
      options.kernel = kernel;
      Counter counter(options, 7);
      counter.count(block);
      std::map<std::string, std::uint64_t> counts;
      for (const WordCount& word : counter.counts()) {
        counts[std::string(word.word)] = word.count;
      }
      CHECK(counts == expected);
      CHECK(counter.totals().invalid == 7);
    }
  }
}

}  // namespace kstream

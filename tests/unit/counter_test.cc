#include "pipeline/counter.h"

#include <algorithm>
#include <map>
#include <string>

#include "catch.h"
#include "counted_words.h"

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
  CHECK(map_of(counter.table()) == expected);
  CHECK(counter.totals().records == 2000);
  CHECK(counter.totals().nulls == 1000);
  CHECK(counter.totals().invalid == 334);
  CHECK(counter.totals().words == words);
}

namespace {

WordMap counts_of(const Counter& counter) {
  return map_of(counter.table());
}

using Counts = std::map<std::string, std::uint64_t>;

}  // namespace

TEST_CASE("counter: what becomes of invalid records, between valid ones") {
  RecordBlock block;
  block.start({"lines", 3});
  Offset offset = 40;
  for (const std::string text : {"a b", "bad\xFF b", "a", "\xC3\xA9"}) {
    REQUIRE(block.append({offset++, 0, std::nullopt, text}));
  }
  CountOptions options;
  for (const auto& [name, split] : kSplitNames) {
    INFO(name);
    options.split = split;
    options.on_invalid = OnInvalid::kReplace;
    Counter replacing(options, 7);
    replacing.count(block);
    const std::string bad = split == Split::kWords ? "bad" : "bad\xEF\xBF\xBD";
    CHECK(counts_of(replacing) == Counts{{"a", 2}, {"b", 2}, {bad, 1}, {"\xC3\xA9", 1}});
    CHECK(replacing.totals() == CountTotals{4, 0, 1, 6});

    options.on_invalid = OnInvalid::kSkip;
    Counter skipping(options, 7);
    skipping.count(block);
    CHECK(counts_of(skipping) == Counts{{"a", 2}, {"b", 1}, {"\xC3\xA9", 1}});
    CHECK(skipping.totals() == CountTotals{4, 0, 1, 4});

    options.on_invalid = OnInvalid::kFail;
    Counter failing(options, 7);
    failing.count(block);
    REQUIRE_FALSE(failing.status().ok());
    const Error& error = failing.status().error();
    CHECK(error.code == ExitCode::kData);
    for (const char* part :
         {"lines:3: ", "offset 41", "6 bytes", "not valid UTF-8 at byte 3", "--on-invalid skip"}) {
      INFO(error.text);
      CHECK(error.text.find(part) != std::string::npos);
    }
    failing.count(block);  // nothing more is counted
    CHECK(failing.totals().records == 2);
    failing.clear();
    CHECK(failing.status().ok());
    CHECK(failing.table().is_empty());
  }
}

TEST_CASE("counter: lists, texts and numbers of JSON, and records that have none") {
  RecordBlock block;
  block.start({"lines", 0});
  Offset offset = 0;
  std::string many = R"({"t":[)";
  for (int i = 0; i < 3000; ++i) {
    many += i == 0 ? "\"w\"" : ",\"w\"";
  }
  for (const std::string& text :
       {std::string(R"({"t":"a b"})"), std::string(R"({"t":["a b","c",""]})"),
        std::string(R"({"t":1e5})"), std::string(R"({"u":1})"), std::string("a"), many + "]}"}) {
    REQUIRE(block.append({offset++, 0, std::nullopt, text}));
  }
  CountOptions options;
  options.decode = {Decoding::kJson, parse_json_pointer("/t").value()};
  for (const OnInvalid on_invalid : {OnInvalid::kReplace, OnInvalid::kSkip}) {
    options.on_invalid = on_invalid;
    Counter counter(options, 7);
    counter.count(block);
    CHECK(counts_of(counter) ==
          Counts{{"", 1}, {"1e5", 1}, {"a", 1}, {"a b", 1}, {"b", 1}, {"c", 1}, {"w", 3000}});
    CHECK(counter.totals() == CountTotals{6, 0, 2, 3006});
  }
  options.on_invalid = OnInvalid::kFail;
  Counter failing(options, 7);
  failing.count(block);
  REQUIRE_FALSE(failing.status().ok());
  CHECK(failing.status().error().text.find("offset 3: its value of 7 bytes has nothing where") !=
        std::string::npos);
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
      CHECK(map_of(counter.table()) == expected);
      CHECK(counter.totals().invalid == 7);
    }
  }
}

}  // namespace kstream

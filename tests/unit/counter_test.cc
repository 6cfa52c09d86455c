#include "pipeline/counter.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "counted_words.h"
#include "every_string.h"

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
  CHECK(map_of(counter.tally().table()) == expected);
  CHECK(counter.totals().records == 2000);
  CHECK(counter.totals().nulls == 1000);
  CHECK(counter.totals().invalid == 334);
  CHECK(counter.totals().words == words);
}

namespace {

WordMap counts_of(const Counter& counter) {
  return map_of(counter.tally().table());
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
    CHECK(failing.tally().table().is_empty());
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

namespace {

Counter counter_with(const std::string& code, const CountOptions& options = {}) {
  auto handler = Handler::create({"test.lua", code});
  REQUIRE(handler.ok());
  return {options, 7, std::move(handler).value()};
}

void fill(RecordBlock& block, const std::vector<std::optional<std::string>>& values) {
  block.start({"lines", 3});
  Offset offset = 40;
  for (const auto& value : values) {
    REQUIRE(block.append({offset++, 0, "key", value}));
  }
}

}  // namespace

TEST_CASE("counter: a handler's texts are split, its words are not, and nil leaves a record out") {
  RecordBlock block;
  fill(block, {"text", "list", "none", std::nullopt, "empty", "text"});
  const std::string code = R"(function handle(m)
    if m.value == nil then return m.key .. ' ' .. m.key end
    if m.value == 'text' then return 'a b a' end
    if m.value == 'list' then return {'a b', 'c'} end
    if m.value == 'empty' then return {} end end)";
  for (const auto& [name, split] : kSplitNames) {
    INFO(name);
    CountOptions options;
    options.split = split;
    Counter counter = counter_with(code, options);
    counter.count(block);
    CHECK(counts_of(counter) == Counts{{"a", 4}, {"b", 2}, {"a b", 1}, {"c", 1}, {"key", 2}});
    CHECK(counter.totals() == CountTotals{6, 1, 0, 10, 1});
    CHECK(counter.first_problem().empty());
  }
  CountOptions options;
  options.filter = WordFilter(true, 0, std::vector<std::string>{"C"});
  Counter counter = counter_with("function handle(m) return {'A', 'a', 'c'} end", options);
  counter.count(block);
  CHECK(counts_of(counter) == Counts{{"a", 12}});
  CHECK(counter.totals().words == 12);
}

TEST_CASE("counter: a handler's decode takes the decoder's place, and its handle gets the text") {
  RecordBlock block;
  fill(block, {std::string("\xFF") + "a b", "\xFF", std::nullopt});
  Counter decoding = counter_with("function decode(b) return b:sub(2) end");
  decoding.count(block);
  CHECK(counts_of(decoding) == Counts{{"a", 1}, {"b", 1}, {"", 1}});
  CHECK(decoding.totals() == CountTotals{3, 1, 0, 3, 0});  // no handle: nobody drops the null
  Counter both = counter_with(R"(
    function decode(b) return b:sub(2) end
    function handle(m) return { tostring(m.value) } end)");
  both.count(block);
  CHECK(counts_of(both) == Counts{{"a b", 1}, {"", 1}, {"nil", 1}});

  // Without one the value is what --decode makes of it.
  fill(block, {R"({"t":["a b","c"]})", R"({"t":"\u00e9"})", "{}"});
  CountOptions options;
  options.decode = {Decoding::kJson, parse_json_pointer("/t").value()};
  Counter json = counter_with("function handle(m) return m.value end", options);
  json.count(block);
  CHECK(counts_of(json) == Counts{{"a b", 1}, {"c", 1}, {"\xC3\xA9", 1}});
  CHECK(json.totals() == CountTotals{3, 0, 1, 3, 0});
  CHECK(json.first_problem().find("offset 42: its value of 2 bytes has nothing") !=
        std::string::npos);
}

TEST_CASE("counter: records for which a handler fails, or returns no text, are invalid once") {
  RecordBlock block;
  fill(block, {"good", "error", "half", "list", "\xFFhalf", "good"});
  const std::string code = R"(function handle(m)
    if m.value == 'error' then error('not this one') end
    if m.value:find('half') then return 'x ' .. ('\xC3\xA9'):sub(1, 1) end
    if m.value == 'list' then return {'x', '\xFF', 'y z'} end
    return m.value end)";
  CountOptions options;
  options.on_invalid = OnInvalid::kReplace;
  Counter replacing = counter_with(code, options);
  replacing.count(block);
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(counts_of(replacing) == Counts{{"good", 2}, {"x", 3}, {bad, 3}, {"y z", 1}});
  CHECK(replacing.totals() == CountTotals{6, 0, 4, 9, 0});
  CHECK(replacing.first_problem() ==
        "lines:3: the record at offset 41: its value of 5 bytes made handle fail: test.lua:2: not "
        "this one");
  replacing.clear();
  CHECK(replacing.first_problem().empty());

  options.on_invalid = OnInvalid::kSkip;
  Counter skipping = counter_with(code, options);
  skipping.count(block);
  CHECK(counts_of(skipping) == Counts{{"good", 2}});
  CHECK(skipping.totals() == CountTotals{6, 0, 4, 2, 0});

  options.on_invalid = OnInvalid::kFail;
  for (const auto& [value, what] :
       {std::pair("error", "made handle fail: test.lua:2: not this one. The batch was not"),
        std::pair("half", "made the handler return what is not valid UTF-8"),
        std::pair("list", "made the handler return what is not valid UTF-8"),
        std::pair("\xFF", "is not valid UTF-8 at byte 0")}) {
    fill(block, {"good", value, "good"});
    Counter failing = counter_with(code, options);
    failing.count(block);
    REQUIRE_FALSE(failing.status().ok());
    INFO(failing.status().error().text);
    CHECK(failing.status().error().code == ExitCode::kData);
    CHECK(failing.status().error().text.find(what) != std::string::npos);
    CHECK(failing.status().error().text.find("lines:3: the record at offset 41") == 0);
  }

  // Bytes are whatever they are.
  options.decode.decoding = Decoding::kBytes;
  fill(block, {"half", "list", "\xFF"});
  Counter bytes = counter_with(code, options);
  bytes.count(block);
  CHECK(bytes.status().ok());
  CHECK(counts_of(bytes) == Counts{{"x", 2}, {"\xC3", 1}, {"\xFF", 2}, {"y z", 1}});
}

TEST_CASE("counter: more words and longer texts than are collected at a time, of a handler") {
  RecordBlock block;
  fill(block, {"list", "text", "small", "list"});
  Counter counter = counter_with(R"(function handle(m)
    if m.value == 'small' then return m.value end
    local words = {}
    for i = 1, 100000 do words[i] = 'w' .. i % 10 end
    return m.value == 'list' and words or table.concat(words, ' ') end)");
  counter.count(block);
  Counts expected{{"small", 1}};
  for (int i = 0; i < 10; ++i) {
    expected["w" + std::to_string(i)] = 30000;
  }
  CHECK(counts_of(counter) == expected);
  CHECK(counter.totals() == CountTotals{4, 0, 0, 300001, 0});
}

TEST_CASE("counter: texts longer than the words at once, valid or not, of every split and kernel") {
  for (const Kernel* kernel : kernels()) {
    for (const auto& [name, split] : kSplitNames) {
      INFO(kernel->name << " " << name);
      RecordBlock block;
      block.start({"lines", 0});
      Counts expected;
      Offset offset = 0;
      for (const std::size_t length : {0U, 1U, 1023U, 1024U, 1025U, 2047U, 2048U, 2049U, 9000U}) {
        for (const std::string piece : {"a ", " ", "ab cdefghijkl ", "x", "ab,", "a\tb\xE3\x80\x80",
                                        "\xC3\xA9 ", "y\xFF z "}) {
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
      CHECK(counts_of(counter) == expected);
      CHECK(counter.totals().invalid == 8);
    }
  }
}

TEST_CASE("counter: every short string has the words of the tokenizer, of every split and kernel") {
  const std::vector<std::string> strings = every_string(5);
  for (const Decoding decoding : {Decoding::kUtf8, Decoding::kBytes}) {
    CountOptions options;
    options.decode.decoding = decoding;
    Decoder decoder(options.decode);
    for (const Kernel* kernel : kernels()) {
      options.kernel = kernel;
      for (const auto& [name, split] : kSplitNames) {
        INFO(kernel->name << " " << name);
        options.split = split;
        Counter counter(options, 7);
        RecordBlock block;
        for (std::size_t begin = 0; begin < strings.size(); begin += 100) {
          block.start({"lines", 0});
          counter.clear();
          Counts expected;
          for (std::size_t i = begin; i < std::min(begin + 100, strings.size()); ++i) {
            for (const std::string& text : {strings[i], std::string(60, 'x') + strings[i]}) {
              const auto offset = static_cast<Offset>(block.records());
              CHECK(block.append({offset, 0, std::nullopt, text}));
              for_each_word(split, decoder.decode(text).text,
                            [&](std::string_view word) { ++expected[std::string(word)]; });
            }
          }
          counter.count(block);
          CHECK(counts_of(counter) == expected);
        }
      }
    }
  }
}

}  // namespace kstream

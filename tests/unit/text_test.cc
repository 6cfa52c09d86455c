// Nasty lines through all of it, decode, split, filter and count, against what Python makes of
// them: see tests/golden/make_text_golden.py.
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.h"
#include "counted_words.h"
#include "pipeline/counter.h"

namespace kstream {
namespace {

using Counts = std::map<std::string, std::uint64_t>;

std::ifstream golden(const std::string& name) {
  std::ifstream file(std::string(KSTREAM_GOLDEN_DIR) + "/" + name, std::ios::binary);
  REQUIRE(file.is_open());
  return file;
}

std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream file = golden(name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  REQUIRE(lines.size() == 42);
  return lines;
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; hex != "-" && i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

template <class T, std::size_t N>
T named(const Named<T> (&names)[N], const std::string& name) {
  for (const auto& [text, value] : names) {
    if (text == name) {
      return value;
    }
  }
  throw std::runtime_error("no " + name);
}

WordFilter filter_of(const std::string& name) {
  const std::vector<std::string> stop_words = {"ReD", "STRAẞE", "καλά"};
  return name == "all" ? WordFilter(true, 3, stop_words)
                       : WordFilter(name == "lower", name == "length2" ? 2 : 0, {});
}

CountOptions options_of(const std::string& decode, const std::string& split,
                        const std::string& filter, const Kernel* kernel) {
  CountOptions options;
  options.decode.decoding = named(kDecodingNames, decode);
  options.split = named(kSplitNames, split);
  options.filter = filter_of(filter);
  options.kernel = kernel;
  return options;
}

// What is counted otherwise: "hex of word: here, wanted", for the first few.
std::string difference(const Counts& counts, const Counts& wanted) {
  std::string text;
  for (const Counts* some : {&counts, &wanted}) {
    for (const auto& [word, unused] : *some) {
      const auto of = [&word = word](const Counts& all) {
        const auto found = all.find(word);
        return found == all.end() ? 0 : found->second;
      };
      if (of(counts) != of(wanted) && text.size() < 1000) {
        text += fmt::format(
            "{:02x}: {}, {}; ",
            fmt::join(reinterpret_cast<const unsigned char*>(word.data()),
                      reinterpret_cast<const unsigned char*>(word.data()) + word.size(), ""),
            of(counts), of(wanted));
      }
    }
  }
  return text;
}

// All records in one block, many times over, so that they meet each other.
Counts count(const CountOptions& options, const std::vector<std::string>& records,
             std::uint64_t times) {
  Counter counter(options, 7);
  RecordBlock block;
  block.start({"lines", 0});
  Offset offset = 0;
  for (std::uint64_t i = 0; i < times; ++i) {
    for (const std::string& record : records) {
      REQUIRE(block.append({offset++, 0, std::nullopt, record}));
    }
  }
  counter.count(block);
  REQUIRE(counter.status().ok());
  Counts counts;
  std::uint64_t words = 0;
  for (const auto& [word, count] : map_of(counter.tally().table())) {
    REQUIRE(count % times == 0);
    counts[word] = count / times;
    words += count;
  }
  CHECK(counter.totals().words == words);
  return counts;
}

}  // namespace

TEST_CASE("text: nasty lines of every decoder, splitter, filter and kernel as Python counts them") {
  const std::vector<std::string> lines = lines_of("text_lines.bin");
  const std::vector<std::string> json = lines_of("text_json.bin");
  std::ifstream file = golden("text_counts.txt");
  std::map<std::string, Counts> wanted;
  for (std::string line, title; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string word;
    std::string number;
    std::string more;
    fields >> word >> number >> more;
    if (more.empty()) {
      wanted[title][from_hex(word)] = std::stoull(number);
    } else {
      title = line;
    }
  }
  CHECK(wanted.size() == 3 * 4 * 4);
  for (const auto& [title, counts] : wanted) {
    std::istringstream fields(title);
    std::string decode;
    std::string split;
    std::string filter;
    fields >> decode >> split >> filter;
    for (const Kernel* kernel : kernels()) {
      INFO(title << ", kernel " << kernel->name);
      const CountOptions options = options_of(decode, split, filter, kernel);
      CHECK(difference(count(options, lines, 1), counts) == "");
      CHECK(difference(count(options, lines, 5), counts) == "");
      if (decode == "utf8") {
        CountOptions of_json = options;
        of_json.decode = {Decoding::kJson, parse_json_pointer("/a~1b/0/t").value()};
        CHECK(difference(count(of_json, json, 5), counts) == "");
      }
    }
  }
}

TEST_CASE("text: a word of 1 MiB, as each decoder has it") {
  const std::string word = std::string(512 * 1024, 'A') + std::string(256 * 1024, '\xE9');
  std::string latin1 = std::string(512 * 1024, 'a');
  std::string replaced = latin1;
  for (int i = 0; i < 256 * 1024; ++i) {
    latin1 += "\xC3\xA9";
    replaced += "\xEF\xBF\xBD";
  }
  for (const auto& [split, kind] : kSplitNames) {
    INFO(split);
    CountOptions options;
    options.split = kind;
    options.filter = WordFilter(true, 1000, {});
    const auto of = [&](Decoding decoding, const std::string& record) {
      options.decode = {decoding, {}};
      Counter counter(options, 7);
      RecordBlock block;
      block.start({"lines", 0});
      REQUIRE(block.append({0, 0, std::nullopt, record}));
      counter.count(block);
      const WordMap counts = map_of(counter.tally().table());
      REQUIRE(counts.size() == 1);
      return counts.begin()->first;
    };
    CHECK((of(Decoding::kLatin1, "x " + word + " y") == latin1));
    CHECK((of(Decoding::kJson, "\"" + latin1 + "\"") == latin1));
    if (kind == Split::kWords) {
      CHECK((of(Decoding::kBytes, word) == std::string(512 * 1024, 'a')));
    } else {
      CHECK((of(Decoding::kUtf8, "x " + word) == replaced));
      CHECK((of(Decoding::kBytes, word + " x") ==
             std::string(512 * 1024, 'a') + word.substr(512 * 1024)));
    }
  }
}

}  // namespace kstream

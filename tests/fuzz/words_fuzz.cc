// Counts what a fuzzer writes, with each kernel, beside a std::map: blocks of records through
// counters, and sequences of what can be done to a word table.
//
// The first byte of an input chooses which, and how texts are decoded and split; each of the others
// is a byte of text or, below 0x20, stands for something that texts, or tables, are made of.
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <string>

#include "pipeline/counter.h"

using namespace kstream;

namespace {

using Counts = std::map<std::string, std::uint64_t, std::less<>>;

constexpr std::uint64_t kSeed = 0xF0225EED;

class Input {
 public:
  Input(const std::uint8_t* bytes, std::size_t size) : at_(bytes), end_(bytes + size) {}

  bool is_at_end() const { return at_ == end_; }
  std::uint8_t byte() { return is_at_end() ? std::uint8_t{0} : *at_++; }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

// Pieces that a mutated byte would hardly ever make.
std::string piece_of(std::uint8_t byte, Input& input) {
  switch (byte) {
    case 0x00:
      return std::string(1, '\0');
    case 0x01:
      return std::string(input.byte(), 'x');
    case 0x02:
      return std::string(input.byte() * std::size_t{16}, 'y');
    case 0x03:
      return std::string(input.byte(), ' ');
    case 0x04:
      return "\xC3\xA9";  // e with acute
    case 0x05:
      return "e\xCC\x81";  // the same as letter and mark
    case 0x06:
      return "\xE2\x80\x8D";  // zero-width joiner
    case 0x07:
      return "\xE3\x80\x80";  // ideographic space
    case 0x08:
      return "\xC2\x85";  // next line: white space of two bytes
    case 0x0E:
      return "\xF0\x9F\x98\x80\xEF\xB8\x8F";  // an emoji and its variation selector
    case 0x0F:
      return "\xE4\xB8\xAD\xE6\x96\x87";  // Chinese
    case 0x10:
      return "\xE2\x80";  // broken off
    case 0x11: {          // many words
      std::string words;
      for (unsigned count = input.byte() * 8U; count > 0; --count) {
        words += std::to_string(count % 37) + (count % 5 == 0 ? "  " : " ");
      }
      return words;
    }
    default:
      return std::string(1, static_cast<char>(byte));
  }
}

constexpr std::uint8_t kRecordEnds = 0x12;
constexpr std::uint8_t kBlockEnds = 0x13;
constexpr std::uint8_t kNull = 0x14;
constexpr std::uint8_t kClear = 0x15;
constexpr std::uint8_t kMerge = 0x16;

void expect(bool is_so) {
  if (!is_so) {
    std::abort();
  }
}

struct Expected {
  Counts counts;
  CountTotals totals;
};

void expect_equal(const WordTable& table, const Counts& expected) {
  expect(table.size() == expected.size());
  std::size_t visits = 0;
  table.for_each([&](std::string_view word, std::uint64_t count) {
    const auto found = expected.find(word);
    expect(found != expected.end() && found->second == count);
    ++visits;
  });
  expect(visits == expected.size());
}

void expect_equal(const Counter& counter, const Expected& expected) {
  expect_equal(counter.tally().table(), expected.counts);
  expect(counter.totals() == expected.totals);
}

// Counters that count what comes and others into which they are merged, one pair for each kernel.
class Counters {
 public:
  explicit Counters(const CountOptions& options) : options_(options), decoder_(options.decode) {
    for (const Kernel* kernel : kernels()) {
      options_.kernel = kernel;
      counters_.emplace_back(options_, kSeed);
      merged_.emplace_back(options_, kSeed);
    }
    block_.start({"fuzz", 0});
  }

  void append(const std::optional<std::string>& value) {
    const RecordView record{offset_++, 0, std::nullopt, value};
    if (!block_.append(record)) {
      count();
      expect(block_.append(record));
    }
    ++expected_.totals.records;
    if (!value) {
      ++expected_.totals.nulls;
      return;
    }
    const Decoded decoded = decoder_.decode(*value);
    expected_.totals.invalid += decoded.problem.empty() ? 0 : 1;
    for_each_word(options_.split, decoded.text, [&](std::string_view word) {
      ++expected_.counts[std::string(word)];
      ++expected_.totals.words;
    });
  }

  void count() {
    for (Counter& counter : counters_) {
      counter.count(block_);
      expect_equal(counter, expected_);
    }
    block_.start({"fuzz", 0});
  }

  void clear() {
    count();
    for (Counter& counter : counters_) {
      counter.clear();
    }
    expected_ = {};
  }

  void merge() {
    count();
    for (const auto& [word, count] : expected_.counts) {
      expected_merged_[word] += count;
    }
    for (std::size_t i = 0; i < counters_.size(); ++i) {
      merged_[i].tally().merge_from(counters_[i].tally());
      expect_equal(merged_[i].tally().table(), expected_merged_);
    }
  }

 private:
  CountOptions options_;
  Decoder decoder_;
  std::deque<Counter> counters_;
  std::deque<Counter> merged_;
  Expected expected_;
  Counts expected_merged_;
  RecordBlock block_;
  Offset offset_ = 0;
};

void count_blocks(const CountOptions& options, Input& input) {
  Counters counters(options);
  std::string text;
  while (!input.is_at_end()) {
    switch (const std::uint8_t byte = input.byte()) {
      case kRecordEnds:
        counters.append(text);
        text.clear();
        break;
      case kBlockEnds:
        counters.count();
        break;
      case kNull:
        counters.append(std::nullopt);
        break;
      case kClear:
        counters.clear();
        break;
      case kMerge:
        counters.merge();
        break;
      default:
        text += piece_of(byte, input);
    }
  }
  counters.append(text);
  counters.merge();
}

// Two tables: bytes add words to one of them; others merge, clear, or let it grow. Neither comes to
// 2^64 words: what a count that wraps around is worth, nobody promises.
void change_tables(Input& input) {
  WordTable tables[] = {WordTable(kSeed), WordTable(kSeed)};
  Counts expected[2];
  std::uint64_t totals[2] = {};
  std::size_t current = 0;
  std::string word;
  const auto takes = [&](std::uint64_t count) {
    std::uint64_t total = 0;
    const bool fits = !__builtin_add_overflow(totals[current], count, &total);
    totals[current] = fits ? total : totals[current];
    return fits;
  };
  const auto add = [&](std::uint64_t count) {
    if (!takes(count)) {
      return;
    }
    tables[current].add(word, count);
    if (count > 0) {
      expected[current][word] += count;
    }
  };
  while (!input.is_at_end()) {
    switch (const std::uint8_t byte = input.byte()) {
      case kRecordEnds:
        add(std::uint64_t{1} << input.byte() % 64);
        word.clear();
        break;
      case kBlockEnds:
        current ^= 1;
        break;
      case kNull:
        add(0);
        break;
      case kClear:
        tables[current].clear();
        expected[current].clear();
        totals[current] = 0;
        break;
      case kMerge:
        if (!takes(totals[current ^ 1])) {
          break;
        }
        tables[current].merge_from(tables[current ^ 1]);
        for (const auto& [other, count] : expected[current ^ 1]) {
          expected[current][other] += count;
        }
        break;
      case 0x17: {  // many words that begin as this one does
        const std::string begin = word;
        for (unsigned number = input.byte() * 16U; number > 0; --number) {
          word = begin + std::to_string(number);
          add(1);
        }
        word = begin;
        break;
      }
      default:
        word += piece_of(byte, input);
    }
  }
  expect_equal(tables[0], expected[0]);
  expect_equal(tables[1], expected[1]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Input input(bytes, size);
  const std::uint8_t first = input.byte();
  if (first % 3 == 0) {
    change_tables(input);
    return 0;
  }
  CountOptions options;
  options.decode.decoding = kDecodingNames[first / 3 % 3].second;  // JSON has no kernel
  options.split = kSplitNames[first / 9 % std::size(kSplitNames)].second;
  count_blocks(options, input);
  return 0;
}

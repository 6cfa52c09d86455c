#include "words/word_table.h"

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"

namespace kstream {
namespace {

using Counts = std::map<std::string, std::uint64_t, std::less<>>;

constexpr std::uint64_t kSeed = 0x1234567890ABCDEF;

Counts counts_of(const WordTable& table) {
  Counts counts;
  std::size_t visits = 0;
  table.for_each([&](std::string_view word, std::uint64_t count) {
    counts[std::string(word)] += count;
    ++visits;
  });
  CHECK(visits == table.size());
  CHECK(counts.size() == table.size());
  return counts;
}

void add_numbers(WordTable& table, int from, int until, const std::string& suffix = "") {
  for (int i = from; i < until; ++i) {
    table.add(std::to_string(i) + suffix);
  }
}

}  // namespace

TEST_CASE("word table: random words, merges and clears as a map counts them") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) { return random() % n; };
  WordTable table(kSeed);
  WordTable other(kSeed);
  Counts expected;
  Counts expected_other;
  for (int step = 0; step < 200'000; ++step) {
    std::string word(below(8) == 0 ? below(60) : below(12), '\0');
    for (char& byte : word) {
      byte = static_cast<char>(below(3) == 0 ? 0 : below(4) * 85);
    }
    const std::uint64_t count = below(4) == 0 ? (std::uint64_t{1} << below(40)) : 1;
    const bool is_other = below(3) == 0;
    (is_other ? other : table).add(word, count);
    (is_other ? expected_other : expected)[word] += count;
    if (below(20'000) == 0) {
      table.merge_from(other);
      for (const auto& [w, n] : expected_other) {
        expected[w] += n;
      }
      CHECK(counts_of(table) == expected);
      CHECK(counts_of(other) == expected_other);
      other.clear();
      expected_other.clear();
    }
    if (below(60'000) == 0) {
      table.clear();
      expected.clear();
      CHECK(table.is_empty());
    }
  }
  CHECK(counts_of(table) == expected);
  CHECK(counts_of(other) == expected_other);
}

TEST_CASE("word table: words of every length that differ in one byte only are different words") {
  WordTable table(kSeed);
  Counts expected;
  for (std::size_t length = 0; length <= 300; ++length) {
    const std::string zeroes(length, '\0');
    table.add(zeroes);
    expected[zeroes] += 1;
    for (std::size_t at = 0; at < length; ++at) {
      std::string word = zeroes;
      word[at] = '\x80';
      table.add(word, at + 1);
      expected[word] += at + 1;
    }
  }
  CHECK(counts_of(table) == expected);
}

TEST_CASE("word table: many words at once count as one by one, with every kernel") {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    // Of the exact size, so that the address sanitizer sees a read beyond what can be read.
    std::vector<char> text(random() % 2000 + kReadableBeyond);
    for (char& byte : text) {
      byte = static_cast<char>(random() % 3 == 0 ? 0 : 'a' + random() % 3);
    }
    const std::string_view words_in(text.data(), text.size() - kReadableBeyond);
    WordList words;
    WordTable one_by_one(kSeed);
    for (std::size_t at = 0; at < words_in.size() && words.size < kWordsAtOnce;) {
      const std::size_t length = random() % (random() % 8 == 0 ? 60 : 20);
      const std::string_view word = words_in.substr(at, length);
      words.begins[words.size] = static_cast<std::uint32_t>(at);
      words.ends[words.size++] = static_cast<std::uint32_t>(at + word.size());
      one_by_one.add(word, 2);
      at += word.size() + random() % 2;
    }
    for (const Kernel* kernel : kernels()) {
      INFO(kernel->name);
      WordTable at_once(kSeed);
      at_once.add_each(*kernel, text.data(), words);
      at_once.add_each(*kernel, text.data(), words);
      CHECK(counts_of(at_once) == counts_of(one_by_one));
      at_once.merge_from(one_by_one);
      CHECK(at_once.size() == one_by_one.size());
    }
  }
}

TEST_CASE("word table: the empty word, NULs and a word of 1 MiB") {
  WordTable table(kSeed);
  const std::string huge(1024 * 1024, 'h');
  const std::string nul(1, '\0');
  for (int i = 0; i < 3; ++i) {
    table.add("");
    table.add(std::string_view{});
    table.add(nul);
    table.add(nul + nul);
    table.add(huge);
    table.add(huge + nul);
  }
  table.add("none", 0);
  CHECK(counts_of(table) == Counts{{"", 6}, {nul, 3}, {nul + nul, 3}, {huge, 3}, {huge + nul, 3}});
}

TEST_CASE("word table: counts beyond 32 bits") {
  WordTable table(kSeed);
  table.add("a", 0xFFFFFFFFFFFFFFFE);
  table.add("a");
  CHECK(counts_of(table) == Counts{{"a", 0xFFFFFFFFFFFFFFFF}});
}

TEST_CASE("word table: grows, and a repeated word takes no memory") {
  WordTable table(kSeed);
  add_numbers(table, 0, 300'000);
  add_numbers(table, 0, 1000, " is a word that is too long for its slot");
  CHECK(table.size() == 301'000);
  const std::size_t bytes = table.bytes();
  CHECK(bytes < 301'000 * 128);
  add_numbers(table, 0, 300'000);
  add_numbers(table, 0, 1000, " is a word that is too long for its slot");
  CHECK(table.bytes() == bytes);
  CHECK(table.size() == 301'000);
  table.for_each([](std::string_view word, std::uint64_t count) {
    if (count != 2) {
      CHECK(std::pair(word, count) == std::pair(word, std::uint64_t{2}));
    }
  });
}

TEST_CASE("word table: words of up to 12 bytes take at most 45 bytes, however many beyond a few") {
  for (const int digits : {7, 12}) {  // of the first kind of keys, and of the second
    WordTable table(kSeed);
    for (std::uint64_t i = 0; i < 1'000'000; ++i) {
      std::string word = std::to_string(i);
      word.insert(0, static_cast<std::size_t>(digits) - word.size(), '0');
      table.add(word, i + 1);
      if (i >= 200'000 && i % 1000 == 0 && table.bytes() > 45 * table.size()) {
        CHECK(table.bytes() <= 45 * table.size());
      }
    }
    std::uint64_t sum = 0;
    table.for_each([&](std::string_view word, std::uint64_t count) {
      if (std::stoull(std::string(word)) + 1 != count) {
        CHECK(std::string(word) == std::to_string(count - 1));
      }
      sum += count;
    });
    CHECK(sum == std::uint64_t{1'000'000} * 1'000'001 / 2);
  }
}

TEST_CASE("word table: keeps its memory for a batch of the same size") {
  WordTable table(kSeed);
  add_numbers(table, 0, 50'000, " is a word that is too long for its slot");
  const std::size_t bytes = table.bytes();
  for (int batch = 0; batch < 5; ++batch) {
    table.clear();
    CHECK(table.is_empty());
    CHECK(counts_of(table).empty());
    add_numbers(table, 0, 50'000, " is a word that is too long for its slot");
    CHECK(table.bytes() == bytes);
    CHECK(table.size() == 50'000);
  }
}

TEST_CASE("word table: gives the memory of a huge batch back when small ones follow") {
  WordTable table(kSeed);
  const std::size_t bytes_empty = table.bytes();
  add_numbers(table, 0, 200'000, " is a word that is too long for its slot");
  table.add(std::string(10 * 1024 * 1024, 'x'));
  const std::size_t bytes_huge = table.bytes();
  std::size_t bytes_before = bytes_huge;
  for (int batch = 0; batch < 12; ++batch) {
    table.clear();
    CHECK(table.bytes() <= bytes_before);
    bytes_before = table.bytes();
    add_numbers(table, 0, 10);
    CHECK(counts_of(table).size() == 10);
  }
  CHECK(table.bytes() < bytes_huge / 20);
  CHECK(table.bytes() <= bytes_empty + Arena::kChunkBytes);
}

TEST_CASE("word table: merging reaches what one table would have counted") {
  WordTable whole(kSeed);
  WordTable left(kSeed);
  WordTable right(kSeed);
  add_numbers(whole, 0, 60'000);
  add_numbers(whole, 30'000, 90'000);
  add_numbers(left, 0, 60'000);
  add_numbers(right, 30'000, 90'000);
  left.merge_from(right);
  CHECK(counts_of(left) == counts_of(whole));
  CHECK(right.size() == 60'000);
  left.merge_from(WordTable(kSeed));
  CHECK(left.size() == 90'000);
}

TEST_CASE("word table: moves with its words") {
  WordTable table(kSeed);
  add_numbers(table, 0, 100);
  add_numbers(table, 0, 100, " is a word that is too long for its slot");
  const Counts before = counts_of(table);
  WordTable moved = std::move(table);
  CHECK(counts_of(moved) == before);
}

}  // namespace kstream

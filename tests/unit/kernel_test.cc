#include "words/kernel.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "every_string.h"
#include "words/tokenizer.h"
#include "words/word_table.h"

namespace kstream {
namespace {

struct Found {
  std::vector<std::string> words;
  bool is_ascii = true;
  bool operator==(const Found&) const = default;
};

// The text lies in memory of the exact size, with what would make other words of it behind it.
Found found_by(const Kernel& kernel, const std::string& text, std::uint32_t before = 0) {
  std::vector<char> memory(before, ' ');
  memory.insert(memory.end(), text.begin(), text.end());
  for (std::size_t i = 0; i < kReadableBeyond; ++i) {
    memory.push_back(i % 2 == 0 ? ' ' : '\xFF');
  }
  WordList words;
  words.begins[0] = before;
  Found found;
  const auto end = static_cast<std::uint32_t>(before + text.size());
  found.is_ascii = kernel.find_words(memory.data(), before, end, words);
  words.ends[words.size++] = end;
  for (std::size_t i = 0; i < words.size; ++i) {
    found.words.emplace_back(memory.data() + words.begins[i], words.ends[i] - words.begins[i]);
  }
  return found;
}

Found found_naively(const std::string& text) {
  Found found;
  found.words.emplace_back();
  for (const char c : text) {
    found.is_ascii = found.is_ascii && static_cast<unsigned char>(c) < 0x80;
    if (c == ' ') {
      found.words.emplace_back();
    } else {
      found.words.back() += c;
    }
  }
  return found;
}

// As found_by() and found_naively(), for runs.
Found runs_found_by(const Kernel& kernel, Separators separators, const std::string& text,
                    std::uint32_t before = 0) {
  std::vector<char> memory(before, 'x');
  memory.insert(memory.end(), text.begin(), text.end());
  for (std::size_t i = 0; i < kReadableBeyond; ++i) {
    memory.push_back(i % 2 == 0 ? 'x' : '\xFF');
  }
  WordList words;
  words.begins[0] = words.ends[0] = 0;  // what is in the list stays there
  words.size = 1;
  Found found;
  found.is_ascii = kernel.find_runs(separators, memory.data(), before,
                                    static_cast<std::uint32_t>(before + text.size()), words);
  CHECK(words.begins[0] + words.ends[0] == 0);
  for (std::size_t i = 1; i < words.size; ++i) {
    found.words.emplace_back(memory.data() + words.begins[i], words.ends[i] - words.begins[i]);
  }
  return found;
}

Found runs_found_naively(Separators separators, const std::string& text) {
  Found found;
  bool is_inside = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool separates = separators == Separators::kWhitespace
                               ? byte < 0x80 && std::isspace(byte) != 0
                               : byte < 0x80 && std::isalnum(byte) == 0;
    found.is_ascii = found.is_ascii && byte < 0x80;
    if (!separates && !is_inside) {
      found.words.emplace_back();
    }
    is_inside = !separates;
    if (is_inside) {
      found.words.back() += c;
    }
  }
  return found;
}

constexpr Separators kEachSeparators[] = {Separators::kWhitespace, Separators::kNoLetterOrDigit};

using Counts = std::map<std::string, std::uint64_t>;

Counts counted_by(const Kernel& kernel, const std::vector<std::string>& words) {
  std::string memory;
  WordList list;
  WordTable table(99);
  for (const std::string& word : words) {
    list.begins[list.size] = static_cast<std::uint32_t>(memory.size());
    memory += word;
    list.ends[list.size++] = static_cast<std::uint32_t>(memory.size());
  }
  memory.append(kReadableBeyond, '\xFF');
  table.add_each(kernel, memory.data(), list);
  Counts counts;
  table.for_each(
      [&](std::string_view word, std::uint64_t count) { counts[std::string(word)] = count; });
  return counts;
}

}  // namespace

TEST_CASE(
    "kernels: every short string, alone and behind 60 others, has the words of a naive split") {
  for (const Kernel* kernel : kernels()) {
    INFO(kernel->name);
    for (const std::string& text : every_string(5)) {
      if (found_by(*kernel, text, 3) != found_naively(text)) {
        CHECK(found_by(*kernel, text, 3) == found_naively(text));
      }
      const std::string longer = std::string(60, 'x') + text;  // over the edge of a register
      if (found_by(*kernel, longer) != found_naively(longer)) {
        CHECK(found_by(*kernel, longer) == found_naively(longer));
      }
    }
  }
}

TEST_CASE("kernels: texts of every length up to 300, few and many spaces") {
  std::mt19937 random(5);
  for (const Kernel* kernel : kernels()) {
    INFO(kernel->name);
    for (std::uint32_t length = 0; length <= 300; ++length) {
      for (const unsigned one_in : {1U, 2U, 5U, 40U, 1000U}) {
        std::string text(length, 'x');
        for (char& c : text) {
          c = random() % one_in == 0 ? ' ' : c;
        }
        CHECK(found_by(*kernel, text, length % 7) == found_naively(text));
        if (length > 0) {
          text[random() % length] = '\x80';
          CHECK(found_by(*kernel, text, length % 7) == found_naively(text));
        }
      }
    }
  }
}

TEST_CASE(
    "kernels: every short string, alone and behind 60 others, has the runs of a naive split") {
  for (const Kernel* kernel : kernels()) {
    for (const Separators separators : kEachSeparators) {
      INFO(kernel->name);
      for (const std::string& text : every_string(5)) {
        for (const std::string& before : {std::string(), std::string(60, 'x')}) {
          const Found expected = runs_found_naively(separators, before + text);
          if (runs_found_by(*kernel, separators, before + text, 3) != expected) {
            CHECK(runs_found_by(*kernel, separators, before + text, 3) == expected);
          }
        }
      }
    }
  }
}

TEST_CASE("kernels: every byte is a separator of runs, or none, at every place of a register") {
  for (const Kernel* kernel : kernels()) {
    for (const Separators separators : kEachSeparators) {
      for (int byte = 0; byte < 256; ++byte) {
        INFO(kernel->name << " byte " << byte);
        for (std::size_t at = 0; at < 130; at += byte % 2 == 0 ? 1 : 7) {
          std::string text(130, 'x');
          text[at] = static_cast<char>(byte);
          const Found expected = runs_found_naively(separators, text);
          if (runs_found_by(*kernel, separators, text) != expected) {
            CHECK(runs_found_by(*kernel, separators, text) == expected);
          }
        }
      }
    }
  }
}

TEST_CASE("kernels: runs in texts of every length up to 300, few and many separators") {
  std::mt19937 random(6);
  for (const Kernel* kernel : kernels()) {
    INFO(kernel->name);
    for (const Separators separators : kEachSeparators) {
      for (std::uint32_t length = 0; length <= 300; ++length) {
        for (const unsigned one_in : {1U, 2U, 5U, 40U, 1000U}) {
          std::string text(length, 'x');
          for (char& c : text) {
            c = random() % one_in == 0 ? ' ' : c;
          }
          CHECK(runs_found_by(*kernel, separators, text, length % 7) ==
                runs_found_naively(separators, text));
        }
      }
    }
  }
}

TEST_CASE("kernels: every short string is counted as the word that it is") {
  const std::vector<std::string> strings = every_string(4);
  for (const Kernel* kernel : kernels()) {
    INFO(kernel->name);
    for (const std::size_t padding : {0U, 2U, 4U, 5U, 6U, 7U, 8U, 9U, 12U, 13U, 14U, 15U, 16U}) {
      for (std::size_t begin = 0; begin < strings.size(); begin += kWordsAtOnce / 2) {
        std::vector<std::string> words;
        Counts expected;
        for (std::size_t i = begin; i < std::min(begin + kWordsAtOnce / 2, strings.size()); ++i) {
          words.push_back(std::string(padding, 'p') + strings[i]);
          words.push_back(words.back());
          expected[words.back()] += 2;
        }
        CHECK(counted_by(*kernel, words) == expected);
      }
    }
  }
}

// Of 100,000 keys in buckets with four places for two keys each, 3.8 % find theirs full when they
// are drawn at random.
template <class Key>
double share_without_place(const std::function<Key(std::uint64_t)>& key_of, std::uint64_t seed) {
  constexpr std::size_t kKeys = 100'000;
  std::mt19937_64 random(seed);
  const HashSeeds seeds{random(), {random() | 1, random() | 1}};
  std::vector<int> in_bucket(kKeys / 2);
  std::size_t without = 0;
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    const std::uint32_t home = home_of(hash_of(key_of(i), seeds), in_bucket.size());
    without += ++in_bucket[home] > 4 ? 1 : 0;
  }
  return static_cast<double>(without) / kKeys;
}

TEST_CASE("kernels: keys that are alike fill the buckets as random ones do, whatever the seeds") {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    for (unsigned shift = 0; shift <= 40; shift += 8) {
      INFO("seed " << seed << " shift " << shift);
      CHECK(share_without_place<ShortKey>([&](auto i) { return kOnes ^ i << shift; }, seed) <
            0.042);
      CHECK(share_without_place<MiddleKey>(
                [&](auto i) {
                  return MiddleKey{kOnes ^ i << shift, kOnes};
                },
                seed) < 0.042);
      CHECK(share_without_place<MiddleKey>(
                [&](auto i) {
                  return MiddleKey{kOnes, kOnes ^ i << shift};
                },
                seed) < 0.042);
    }
  }
}

}  // namespace kstream

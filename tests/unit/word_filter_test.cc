#include "words/word_filter.h"

#include <memory>
#include <string>
#include <vector>

#include "catch.h"

namespace kstream {
namespace {

using Words = std::vector<std::string>;

// What the filter leaves of the words, in order.
Words kept(const WordFilter& filter, const Words& words) {
  std::string memory;
  const auto list = std::make_unique<WordList>();
  for (const std::string& word : words) {
    list->begins[list->size] = static_cast<std::uint32_t>(memory.size());
    memory += word;
    list->ends[list->size++] = static_cast<std::uint32_t>(memory.size());
    memory += ' ';
  }
  std::string room = "something else";
  const char* at = filter.keep_wanted(memory.data(), *list, room);
  Words left;
  for (std::size_t i = 0; i < list->size; ++i) {
    left.emplace_back(at + list->begins[i], at + list->ends[i]);
  }
  return left;
}

}  // namespace

TEST_CASE("word filter: without a wish everything stays") {
  const Words words = {"", "a", "The", "\xFF"};
  CHECK_FALSE(WordFilter().is_on());
  CHECK_FALSE(WordFilter(false, 0, {}).is_on());
  CHECK(kept(WordFilter(), words) == words);
}

TEST_CASE("word filter: length is in characters, and a byte that is none is one") {
  const Words words = {"", "a", "é", "日", "😀", "\xFF", "ab", "éé", "\xFF\xFE", "\xE2\x82", "abc"};
  CHECK(kept(WordFilter(false, 1, {}), words) == Words(words.begin() + 1, words.end()));
  CHECK(kept(WordFilter(false, 2, {}), words) == Words{"ab", "éé", "\xFF\xFE", "\xE2\x82", "abc"});
  CHECK(kept(WordFilter(false, 3, {}), words) == Words{"abc"});
  CHECK(kept(WordFilter(false, 4, {}), words).empty());
  // A letter and its accent are two characters, as for Python's len.
  CHECK(kept(WordFilter(false, 2, {}), {"e\xCC\x81"}).size() == 1);
}

TEST_CASE("word filter: length is right for all sizes of characters around it") {
  for (const std::string character : {"a", "é", "日", "😀", "\xFF"}) {
    std::string word;
    for (std::size_t length = 0; length < 70; ++length, word += character) {
      INFO(character << " " << length);
      for (std::size_t wanted = 0; wanted < 70; ++wanted) {
        if (kept(WordFilter(false, wanted, {}), {word}).size() != (length >= wanted ? 1 : 0)) {
          CHECK(wanted == length);
        }
      }
    }
  }
}

TEST_CASE("word filter: stop words are compared as they are, with folding in any case") {
  const Words stop_words = {"The", "ÉTÉ"};
  const Words words = {"The", "the", "THE", "then", "Été", "X"};
  CHECK(kept(WordFilter(false, 0, stop_words), words) == Words{"the", "THE", "then", "Été", "X"});
  CHECK(kept(WordFilter(true, 0, stop_words), words) == Words{"then", "x"});
}

TEST_CASE("word filter: folded first, then long enough, then no stop word") {
  const Words stop_words = {"stop"};
  CHECK(kept(WordFilter(true, 3, stop_words), {"A", "STOP", "ÀB", "Long", "STOPS", "ab"}) ==
        Words{"long", "stops"});
}

}  // namespace kstream

#include "words/tokenizer.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"

namespace kstream {
namespace {

using Words = std::vector<std::string>;

Words words_of(Split split, std::string_view text) {
  Words words;
  for_each_word(split, text, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

// --- The naive twin: characters first, then rules written as the documents have them. ---

constexpr std::uint32_t kInvalid = 0xFFFFFFFF;
struct Character {
  std::string bytes;
  std::uint32_t code_point;
};

std::vector<Character> characters_of(const std::string& text) {
  std::vector<Character> characters;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return i + at < text.size() ? static_cast<unsigned char>(text[i + at]) : 0;
    };
    const auto is_next = [&](std::size_t at) { return byte(at) >= 0x80 && byte(at) <= 0xBF; };
    std::size_t size = 1;
    std::uint32_t code_point = byte(0) < 0x80 ? byte(0) : kInvalid;
    if (byte(0) >= 0xC2 && byte(0) <= 0xDF && is_next(1)) {
      size = 2;
      code_point = (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    } else if (byte(0) >= 0xE1 && byte(0) <= 0xE3 && is_next(1) && is_next(2)) {
      size = 3;
      code_point = (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    }
    characters.push_back({text.substr(i, size), code_point});
    i += size;
  }
  return characters;
}

Words naive_space(const std::string& text) {
  Words words(1);
  for (const char byte : text) {
    if (byte == ' ') {
      words.emplace_back();
    } else {
      words.back().push_back(byte);
    }
  }
  return words;
}

Words naive_java(const std::string& text) {
  Words words = naive_space(text);
  if (words.size() == 1) {
    return words;  // no separator in it: the text itself, also when it is empty
  }
  while (!words.empty() && words.back().empty()) {
    words.pop_back();
  }
  return words;
}

Words naive_whitespace(const std::string& text) {
  Words words(1);
  for (const Character& c : characters_of(text)) {
    const std::vector<std::uint32_t> spaces = {0x09,   0x0A,   0x0B,   0x0C,   0x0D,
                                               0x20,   0x85,   0xA0,   0x1680, 0x2028,
                                               0x2029, 0x202F, 0x205F, 0x3000};
    const bool is_space = std::find(spaces.begin(), spaces.end(), c.code_point) != spaces.end() ||
                          (c.code_point >= 0x2000 && c.code_point <= 0x200A);
    if (is_space) {
      words.emplace_back();
    } else {
      words.back() += c.bytes;
    }
  }
  std::erase(words, "");
  return words;
}

// Of the characters that the tests use: letters L, marks M, joiners J, the rest separators.
char class_of(std::uint32_t c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == 0xE9) {
    return 'L';
  }
  if (c == 0x0301) {
    return 'M';
  }
  return c == 0x200D || c == 0x200C ? 'J' : '-';
}

Words naive_words(const std::string& text) {
  Words words(1);
  std::string joiners;
  for (const Character& c : characters_of(text)) {
    const char kind = class_of(c.code_point);
    if (kind == 'J') {
      joiners += c.bytes;
      continue;
    }
    if (kind == 'L' || (kind == 'M' && !words.back().empty())) {
      words.back() += (words.back().empty() ? "" : joiners) + c.bytes;
    } else if (kind == '-') {
      words.emplace_back();
    }
    joiners.clear();
  }
  std::erase(words, "");
  return words;
}

constexpr std::pair<Split, Words (*)(const std::string&)> kTwins[] = {
    {Split::kSpace, naive_space},
    {Split::kJava, naive_java},
    {Split::kWhitespace, naive_whitespace},
    {Split::kWords, naive_words},
};

void exhaust(const Words& alphabet, std::size_t length_max) {
  std::vector<std::string> texts = {""};
  for (std::size_t begin = 0, length = 0; length <= length_max; ++length) {
    const std::size_t end = texts.size();
    for (std::size_t i = begin; i < end; ++i) {
      for (const auto& [split, naive] : kTwins) {
        // A copy of the exact size, so that the address sanitizer sees a read beyond it.
        const std::vector<char> exact(texts[i].begin(), texts[i].end());
        const Words words = words_of(split, {exact.data(), exact.size()});
        if (words != naive(texts[i])) {
          INFO("split " << static_cast<int>(split));
          CHECK(words == naive(texts[i]));
        }
      }
      if (length < length_max) {
        for (const std::string& piece : alphabet) {
          texts.push_back(texts[i] + piece);
        }
      }
    }
    begin = end;
  }
  CHECK(texts.size() > 1);
}

}  // namespace

TEST_CASE("tokenizer: every text of up to six characters as the naive twin splits it") {
  exhaust({"a", " ", "\t", "\xC3\xA9", "\xFF", std::string(1, '\0')}, 6);
}

TEST_CASE("tokenizer: every text of marks, joiners, wide spaces and broken characters") {
  exhaust({"a", "\xCC\x81", "\xE2\x80\x8D", "\xE2\x80\xA8", "\xE2\x80", "\xC2", "\x85"}, 5);
}

TEST_CASE("tokenizer: spaces around every place of texts of up to four times 64 bytes") {
  const Words alphabet = {"a", "b", " ", "\xC3\xA9"};
  std::mt19937 random(7);
  for (std::size_t length = 0; length <= 256; ++length) {
    std::vector<std::string> texts = {std::string(length, 'a'), std::string(length, ' ')};
    for (std::size_t at = 0; at < length; ++at) {
      texts.push_back(texts[0]);
      texts.back()[at] = ' ';
    }
    for (int i = 0; i < 20; ++i) {
      texts.emplace_back();
      while (texts.back().size() < length) {
        texts.back() += alphabet[random() % alphabet.size()];
      }
    }
    for (const std::string& text : texts) {
      const std::vector<char> exact(text.begin(), text.end());
      if (words_of(Split::kSpace, {exact.data(), exact.size()}) != naive_space(text)) {
        CHECK(words_of(Split::kSpace, text) == naive_space(text));
      }
    }
  }
  CHECK(words_of(Split::kSpace, std::string(256, ' ')).size() == 257);
}

TEST_CASE("tokenizer: the table of Python's and Java's split") {
  struct Row {
    std::string_view text;
    Words python;
    Words java;
  };
  const Row rows[] = {
      {"", {""}, {""}},
      {" ", {"", ""}, {}},
      {"a  b", {"a", "", "b"}, {"a", "", "b"}},
      {" a ", {"", "a", ""}, {"", "a"}},
      {"x   ", {"x", "", "", ""}, {"x"}},
      {"   x", {"", "", "", "x"}, {"", "", "", "x"}},
      {"a\tb\n", {"a\tb\n"}, {"a\tb\n"}},
      {"word\r", {"word\r"}, {"word\r"}},
      {"a\xC2\xA0 b", {"a\xC2\xA0", "b"}, {"a\xC2\xA0", "b"}},
  };
  for (const Row& row : rows) {
    INFO("text '" << row.text << "'");
    CHECK(words_of(Split::kSpace, row.text) == row.python);
    CHECK(words_of(Split::kJava, row.text) == row.java);
  }
  CHECK(words_of(Split::kSpace, {}) == Words{""});
  CHECK(words_of(Split::kJava, {}) == Words{""});
  CHECK(words_of(Split::kWhitespace, {}).empty());
  CHECK(words_of(Split::kWords, {}).empty());
}

TEST_CASE("tokenizer: whitespace is White_Space, all of it and nothing else") {
  const std::vector<std::string> spaces = {"\t",           "\n",           "\v",
                                           "\f",           "\r",           " ",
                                           "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80",
                                           "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82",
                                           "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85",
                                           "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88",
                                           "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
                                           "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F",
                                           "\xE3\x80\x80"};
  for (const std::string& space : spaces) {
    CHECK(words_of(Split::kWhitespace, "a" + space + "b" + space) == Words{"a", "b"});
  }
  for (const std::string other :
       {"\x1C", "\x1F", "\xC2\xAD", "\xE1\x9A\x81", "\xE2\x80\x8B", "\xE2\x81\xA0", "\xE3\x80\x81",
        "\xEF\xBB\xBF", "\x85", "\xA0", "\xE2\x80", "\xE3\x80"}) {
    CHECK(words_of(Split::kWhitespace, "a" + other + " b") == Words{"a" + other, "b"});
  }
}

TEST_CASE("tokenizer: words of many scripts") {
  const auto words = [](std::string_view text) { return words_of(Split::kWords, text); };
  CHECK(words("It's 2 o'clock, isn't_it?") ==
        Words{"It", "s", "2", "o", "clock", "isn", "t", "it"});
  CHECK(words("привет, мир! Ελλάδα") == Words{"привет", "мир", "Ελλάδα"});
  CHECK(words("漢字。かな") == Words{"漢字", "かな"});
  CHECK(words("cafe\xCC\x81 e\xCC\x81t\xC3\xA9") == Words{"cafe\xCC\x81", "e\xCC\x81t\xC3\xA9"});
  CHECK(words("हिन्दी भाषा") == Words{"हिन्दी", "भाषा"});
  CHECK(words("می\u200Cخواهم") == Words{"می\u200Cخواهم"});
  CHECK(words("Ⅷ ½ ٣") == Words{"Ⅷ", "½", "٣"});
  CHECK(words("a\u200D b \u200Cc") == Words{"a", "b", "c"});
  CHECK(words("❤️ ok 👩‍💻").size() ==
        1);  // variation selectors and joiners of emoji are no words
  CHECK(words("\uE000x\u0378y") == Words{"x", "y"});  // private use and unassigned separate
  CHECK(words("a\xFF"
              "b\xED\xA0\x80"
              "c\xC0\x80") == Words{"a", "b", "c"});
}

}  // namespace kstream

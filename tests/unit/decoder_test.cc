#include "words/decoder.h"

#include <fstream>
#include <string>
#include <vector>

#include "catch.h"

namespace kstream {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";

std::ifstream golden(const std::string& name) {
  std::ifstream file(std::string(KSTREAM_GOLDEN_DIR) + "/" + name, std::ios::binary);
  REQUIRE(file.is_open());
  return file;
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// The text that Python's decoder made, from its cut: see make_decoder_golden.py.
std::string text_of(const std::string& bytes, const std::string& cut) {
  std::string text;
  std::size_t at = 0;
  for (const char part : cut) {
    const bool is_bad = part >= 'a';
    const auto size = static_cast<std::size_t>(is_bad ? part - 'a' + 1 : part - '0');
    text += is_bad ? std::string(kReplacement) : bytes.substr(at, size);
    at += size;
  }
  REQUIRE(at == bytes.size());
  return text;
}

bool is_valid_cut(const std::string& cut) {
  return cut.find_first_of("abc") == std::string::npos;
}

// CHECK for each of many thousands would take most of the test's time.
void expect(Decoder& decoder, const std::string& bytes, const std::string& cut) {
  const Decoded decoded = decoder.decode(bytes);
  if (decoded.text != text_of(bytes, cut) || decoded.problem.empty() != is_valid_cut(cut)) {
    INFO("cut " << cut);
    CHECK(decoded.text == text_of(bytes, cut));
    CHECK(decoded.problem.empty() == is_valid_cut(cut));
  }
}

}  // namespace

TEST_CASE("decoder: every string of up to three nasty bytes as Python decodes it") {
  std::ifstream file = golden("utf8_exhaustive.txt");
  std::string line;
  std::getline(file, line);
  const std::string alphabet = from_hex(line);
  Decoder decoder({Decoding::kUtf8, {}});
  std::size_t strings = 0;
  std::vector<std::string> shorter = {""};
  for (int length = 0; length <= 3; ++length) {
    for (const std::string& bytes : shorter) {
      REQUIRE(std::getline(file, line));
      expect(decoder, bytes, line);
      ++strings;
    }
    std::vector<std::string> longer;
    for (const std::string& bytes : shorter) {
      for (const char byte : alphabet) {
        longer.push_back(bytes + byte);
      }
    }
    shorter = std::move(longer);
  }
  CHECK(strings == 1 + 23 + 23 * 23 + 23 * 23 * 23);
  CHECK_FALSE(std::getline(file, line));
}

TEST_CASE("decoder: random longer strings as Python decodes them, also inside valid text") {
  std::ifstream file = golden("utf8_random.txt");
  Decoder decoder({Decoding::kUtf8, {}});
  std::string hex;
  std::string cut;
  std::size_t strings = 0;
  const std::string around(100, 'x');
  while (file >> hex >> cut) {
    const std::string bytes = from_hex(hex);
    expect(decoder, bytes, cut);
    expect(decoder, around + bytes + around, std::string(100, '1') + cut + std::string(100, '1'));
    ++strings;
  }
  CHECK(strings == 2500);
}

TEST_CASE("decoder: valid bytes come back where they are, not copied") {
  Decoder decoder({Decoding::kUtf8, {}});
  const std::string valid("a\0\xC3\xA9\xF0\x9F\x98\x80\xEF\xBB\xBF", 11);
  const Decoded decoded = decoder.decode(valid);
  CHECK(decoded.text.data() == valid.data());
  CHECK(decoded.text.size() == valid.size());
  CHECK(decoded.problem.empty());
  CHECK(decoder.decode("").problem.empty());
  CHECK(decoder.decode({}).problem.empty());
}

TEST_CASE("decoder: bytes stay as they are") {
  Decoder decoder({Decoding::kBytes, {}});
  const std::string bytes("\xFF\0\xED\xA0\x80", 5);
  const Decoded decoded = decoder.decode(bytes);
  CHECK(decoded.text.data() == bytes.data());
  CHECK(decoded.text == bytes);
  CHECK(decoded.problem.empty());
}

TEST_CASE("decoder: Latin-1 makes each byte the character of its number") {
  Decoder decoder({Decoding::kLatin1, {}});
  std::string all;
  std::string wanted;
  for (int i = 0; i < 256; ++i) {
    all.push_back(static_cast<char>(i));
    if (i >= 0x80) {
      wanted.push_back(static_cast<char>(i < 0xC0 ? 0xC2 : 0xC3));
    }
    wanted.push_back(static_cast<char>(i < 0xC0 ? i : i - 0x40));
  }
  CHECK(decoder.decode(all).text == wanted);
  CHECK(decoder.decode(all).problem.empty());
  const std::string ascii = "plain\x7F";
  CHECK(decoder.decode(ascii).text.data() == ascii.data());
}

TEST_CASE("decoder: a problem says where it begins") {
  Decoder decoder({Decoding::kUtf8, {}});
  CHECK(decoder.decode("\xFF").problem_at == 0);
  CHECK(decoder.decode("abc\xC3\xA9\xE2\x82 \xFF").problem_at == 5);
  CHECK_FALSE(decoder.decode("abc").problem_at);
}

TEST_CASE("decoder: the known ill-formed sequences") {
  struct Case {
    std::string bytes;
    int replacements;
  };
  const Case cases[] = {
      {"\xED\xA0\x80", 3},      // an encoded surrogate
      {"\xC0\x80", 2},          // overlong NUL
      {"\xE0\x80\x80", 3},      // overlong in three bytes
      {"\xE2\x82", 1},          // broken off at the end
      {"\xF0\x9F\x98", 1},      // broken off one byte short
      {"\xF4\x90\x80\x80", 4},  // above U+10FFFF
      {"\xF8\x88\x80\x80\x80", 5},
      {"\x80", 1},
      {"\xFF", 1},
  };
  Decoder decoder({Decoding::kUtf8, {}});
  for (const Case& c : cases) {
    std::string expected;
    for (int i = 0; i < c.replacements; ++i) {
      expected += kReplacement;
    }
    CHECK(decoder.decode(c.bytes).text == expected);
    CHECK(decoder.decode("a" + c.bytes + "b").text == "a" + expected + "b");
  }
}

TEST_CASE("decoder: bad bytes around good ones, and broken off before a good one") {
  const std::string bad = kReplacement;
  Decoder decoder({Decoding::kUtf8, {}});
  CHECK(decoder.decode("\xFF\x61\xC3").text == bad + "a" + bad);
  CHECK(decoder.decode("\xE2\x82\x61").text == bad + "a");
  CHECK(decoder.decode("\xF0\x9F\x98\xC3\xA9").text == bad + "\xC3\xA9");
  CHECK(decoder.decode("\xED\xA0\x80\x61\xC0\x80").text == bad + bad + bad + "a" + bad + bad);
}

TEST_CASE("decoder: a huge damaged record, then small ones") {
  Decoder decoder({Decoding::kUtf8, {}});
  const std::string huge(4 * 1024 * 1024, '\xFF');
  CHECK(decoder.decode(huge).text.size() == 3 * huge.size());
  CHECK(decoder.decode("\xFF").text == kReplacement);
  CHECK(decoder.decode("ok").text == "ok");
}

}  // namespace kstream

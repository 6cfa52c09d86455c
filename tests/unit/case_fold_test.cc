#include "words/case_fold.h"

#include <fstream>
#include <string>
#include <vector>

#include "catch.h"

namespace kstream {
namespace {

std::string folded(std::string_view word) {
  std::string text = "before ";
  append_folded(word, text);
  return text.substr(7);
}

}  // namespace

TEST_CASE("case folding: every character as CaseFolding.txt has it") {
  constexpr std::int32_t kEnd = 0x110000;
  std::vector<std::int32_t> wanted(kEnd);
  for (std::int32_t c = 0; c < kEnd; ++c) {
    wanted[static_cast<std::size_t>(c)] = c;
  }
  std::ifstream file(std::string(KSTREAM_GOLDEN_DIR) + "/case_fold.txt");
  std::size_t lines = 0;
  for (std::string from, to, last; file >> from >> to; ++lines) {
    if (from != "-") {
      wanted[std::stoul(from, nullptr, 16)] = std::stoi(to, nullptr, 16);
      continue;
    }
    file >> last;
    for (int c = std::stoi(to, nullptr, 16); c <= std::stoi(last, nullptr, 16); ++c) {
      wanted[static_cast<std::size_t>(c)] = -1;
    }
  }
  REQUIRE(lines > 2000);
  for (std::int32_t c = 0; c < kEnd; ++c) {
    const std::int32_t want = wanted[static_cast<std::size_t>(c)];
    if (want >= 0 && fold_case(c) != want) {
      INFO("U+" << std::hex << c);
      CHECK(fold_case(c) == want);
    }
  }
}

TEST_CASE("case folding: words, also longer and shorter ones than before") {
  CHECK(folded("") == "");
  CHECK(folded("ABC xyz 019 @[`{") == "abc xyz 019 @[`{");
  CHECK(folded("ÉCOLE Straße STRASSE") == "école straße strasse");
  CHECK(folded("ẞ") == "ß");              // three bytes become two
  CHECK(folded("ȺȺȺȺ") == "ⱥⱥⱥⱥ");        // two become three
  CHECK(folded("K Å") == "k å");          // Kelvin and Angstrom signs
  CHECK(folded("İI ıi") == "İi ıi");      // whatever the locale
  CHECK(folded("ΣΑΣ σας") == "σασ σασ");  // the final sigma is folded, too
  CHECK(folded("𐐀𐐨") == "𐐨𐐨");
  CHECK(folded("ꭰᎠ") == "ᎠᎠ");  // Cherokee folds to its capitals
}

TEST_CASE("case folding: bytes that are not UTF-8 stay") {
  CHECK(folded("A\xFF"
               "B\xC3") ==
        "a\xFF"
        "b\xC3");
  CHECK(folded("\xED\xA0\x80X") == "\xED\xA0\x80x");
  CHECK(folded(std::string("A\0É", 4)) == std::string("a\0é", 4));
}

}  // namespace kstream

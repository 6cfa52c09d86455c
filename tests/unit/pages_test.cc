#include "words/pages.h"

#include <cstdint>
#include <utility>

#include "catch.h"

namespace kstream {
namespace {

constexpr std::size_t kLargePage = 2 * 1024 * 1024 / sizeof(std::uint64_t);

Pages<std::uint64_t> numbered(std::size_t size) {
  Pages<std::uint64_t> pages(size);
  for (std::size_t i = 0; i < size; ++i) {
    pages[i] = i + 1;
  }
  return pages;
}

}  // namespace

TEST_CASE("pages: begin as zeroes, of few elements and of many") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, 5 * kLargePage + 3}) {
    const Pages<std::uint64_t> pages(size);
    CHECK(pages.size() == size);
    CHECK(pages.bytes() == 8 * size);
    std::uint64_t any = 0;
    for (std::size_t i = 0; i < size; ++i) {
      any |= pages[i];
    }
    CHECK(any == 0);
  }
}

TEST_CASE("pages: what is given back lies before the element, and is nearly all of that") {
  for (const std::size_t kept_from :
       {std::size_t{1}, std::size_t{513}, kLargePage, 3 * kLargePage + 1, 5 * kLargePage - 1}) {
    Pages<std::uint64_t> pages = numbered(5 * kLargePage);
    pages.give_back_before(kept_from);
    std::size_t given_back = 0;
    for (std::size_t i = 0; i < pages.size(); ++i) {
      if (pages[i] != i + 1) {
        ++given_back;
        if (i >= kept_from) {
          CHECK(pages[i] == i + 1);
        }
      }
    }
    CHECK(given_back + kLargePage >= kept_from);
  }
}

TEST_CASE("pages: move with what they hold") {
  Pages<std::uint64_t> pages = numbered(100);
  Pages<std::uint64_t> moved = std::move(pages);
  CHECK(moved[99] == 100);
  pages = Pages<std::uint64_t>(10);
  std::swap(pages, moved);
  CHECK(pages[99] == 100);
  CHECK(moved.size() == 10);
  CHECK(moved[9] == 0);
}

}  // namespace kstream

// The words that options use for the values of an enumeration.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace kstream {

template <class T>
using Named = std::pair<std::string_view, T>;

template <class T, std::size_t N>
std::string_view name_of(const Named<T> (&names)[N], T value) {
  for (const auto& [name, named] : names) {
    if (named == value) {
      return name;
    }
  }
  KS_CHECK(false);
}

}  // namespace kstream

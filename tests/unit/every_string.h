// What is tried of all strings: those of a few pieces that mean something to counting.
#pragma once

#include <string>
#include <vector>

namespace kstream {

// Every string of up to `pieces` of {a, space, tab, e with acute, 0xFF, NUL}.
inline std::vector<std::string> every_string(int pieces) {
  const std::string alphabet[] = {"a", " ", "\t", "\xC3\xA9", "\xFF", std::string(1, '\0')};
  std::vector<std::string> strings = {""};
  for (std::size_t begin = 0; pieces > 0; --pieces) {
    const std::size_t end = strings.size();
    for (; begin < end; ++begin) {
      for (const std::string& piece : alphabet) {
        strings.push_back(strings[begin] + piece);
      }
    }
  }
  return strings;
}

}  // namespace kstream

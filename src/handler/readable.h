// What a handler says, for people: it may hold a record's bytes, all of them.
#pragma once

#include <string>
#include <string_view>

namespace kstream {

// One line of valid UTF-8, of the text's first 1,000 bytes; '?' for control characters.
std::string readable(std::string_view text);

}  // namespace kstream

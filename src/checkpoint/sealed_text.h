// A small text file that shows every damage: a title with its version, one line of content, and a
// last line with the hash and the length of all above.
//
//     kstream-checkpoint 1
//     {"stream":...}
//     xxh3 9f86d081884c7d65 193
//
// Pure. Errors: 65 with the rule that the text breaks; the caller names the file.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace kstream {

std::string seal(std::string_view title, std::string_view line);

// The line between; `title` is "kstream-checkpoint 1".
Result<std::string> unseal(std::string_view title, std::string_view text);

}  // namespace kstream

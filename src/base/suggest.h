// "Did you mean": the closest of the words that would have been right.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kstream {

// The candidate that needs the fewest edits (insert, delete, replace, swap neighbours) to become
// `word`, or an empty text if none is near enough to be meant: more than a third of its length.
std::string nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace kstream

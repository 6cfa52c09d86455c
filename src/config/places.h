// Topics, places and ranges as people write them.
//
// Errors: 64, about the text only.
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/offset.h"

namespace kstream {

// A name that Kafka takes (1 to 249 of a-z A-Z 0-9 . _ -), or ^ and a regular expression.
Status check_topic(std::string_view name);

// latest, earliest and their other spellings, committed, -N, @TIME, @-DURATION, or
// TOPIC:PARTITION:OFFSET,...
Result<Place> parse_place(std::string_view text);

// TOPIC:PARTITION:FROM:UNTIL
Result<OffsetRange> parse_range(std::string_view text);

}  // namespace kstream

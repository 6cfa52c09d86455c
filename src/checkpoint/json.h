// JSON objects read strictly: a field that is missing, or of another kind, is an error, never a
// guess.
//
// Errors: 65 with the rule that the text breaks.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kstream {

using Json = nlohmann::ordered_json;

Result<Json> parse_object(std::string_view text);
Result<std::string> text_field(const Json& object, const char* name);
// A whole number from 0 to 2^63 - 1.
Result<std::int64_t> number(const Json& value, std::string_view what);
Result<std::int64_t> number_field(const Json& object, const char* name);
Result<const Json*> object_field(const Json& object, const char* name);

}  // namespace kstream

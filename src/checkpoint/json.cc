#include "checkpoint/json.h"

#include <fmt/format.h>

#include <limits>

namespace kstream {
namespace {

Error broken(std::string rule) {
  return Error{ExitCode::kData, std::move(rule)};
}

Result<const Json*> field(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) {
    return broken(fmt::format("'{}' is missing", name));
  }
  return &*found;
}

}  // namespace

Result<Json> parse_object(std::string_view text) {
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_object()) {
    return broken("its content is not a JSON object");
  }
  return value;
}

Result<std::string> text_field(const Json& object, const char* name) {
  KS_TRY_VALUE(value, field(object, name));
  if (!value->is_string()) {
    return broken(fmt::format("'{}' is not a text", name));
  }
  return value->get<std::string>();
}

Result<std::int64_t> number(const Json& value, std::string_view what) {
  const bool is_whole =
      value.is_number_unsigned() &&
      value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  if (!is_whole) {
    return broken(fmt::format("'{}' is not a whole number from 0 to 2^63 - 1", what));
  }
  return value.get<std::int64_t>();
}

Result<std::int64_t> number_field(const Json& object, const char* name) {
  KS_TRY_VALUE(value, field(object, name));
  return number(*value, name);
}

Result<const Json*> object_field(const Json& object, const char* name) {
  KS_TRY_VALUE(value, field(object, name));
  if (!value->is_object()) {
    return broken(fmt::format("'{}' is not an object", name));
  }
  return value;
}

}  // namespace kstream

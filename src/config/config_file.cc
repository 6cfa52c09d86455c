#include "config/config_file.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace kstream {
namespace {

using Json = nlohmann::json;

Error bad_file(const std::string& path, const std::string& what) {
  return Error{ExitCode::kConfig,
               fmt::format("{}: {}. Nothing was started. Mend the file.", path, what)};
}

bool is_scalar(const Json& value) {
  return value.is_string() || value.is_number_integer() || value.is_boolean();
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

Result<FileValues> read_config_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return Error{ExitCode::kNoInput,
                 fmt::format("{}: cannot be opened. Nothing was started. Check --config.", path)};
  }
  try {
    const Json root = Json::parse(file);
    if (!root.is_object()) {
      return bad_file(path, "is not a JSON object");
    }
    FileValues values;
    for (const auto& [key, value] : root.items()) {
      std::vector<std::string>& texts = values[key];
      for (const Json& item : value.is_array() ? value : Json::array({value})) {
        if (!is_scalar(item)) {
          return bad_file(path,
                          fmt::format("'{}' is {}, not a text, a whole number, true, false, or "
                                      "a list of them",
                                      key, item.dump()));
        }
        texts.push_back(text_of(item));
      }
    }
    return values;
  } catch (const Json::exception& error) {
    return bad_file(path, error.what());
  }
}

}  // namespace kstream

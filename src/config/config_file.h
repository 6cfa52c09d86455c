// A configuration file: a JSON object whose keys are the long options without their dashes.
// A text, a number or true and false is a value; a list gives a repeatable option several.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace kstream {

using FileValues = std::map<std::string, std::vector<std::string>>;

// Errors: 66 when it cannot be read, 78 when it is not such an object.
Result<FileValues> read_config_file(const std::string& path);

}  // namespace kstream

// The words of a command line, the environment and a configuration file to settings.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace kstream {

// What is to be printed instead of a run: help, version, effective configuration.
struct Printout {
  std::string text;
};

// Precedence: command line, environment (KSTREAM_...), file (--config), default.
// `words` are without the program's name. Errors: 64, with "did you mean"; 66 or 78 for the file.
Result<std::variant<Settings, Printout>> parse_command_line(
    const std::vector<std::string>& words, const std::map<std::string, std::string>& environment);

}  // namespace kstream

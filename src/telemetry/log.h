// Texts for people, on standard error: standard output is for data only.
//
// Thread: any.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace kstream::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };

// What is below `level` is not written. Called once, before the first line.
void start(Level level);

void write(Level level, std::string_view text);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace kstream::log

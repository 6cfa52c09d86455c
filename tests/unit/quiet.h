// For tests in which warnings are no news.
#pragma once

#include "telemetry/log.h"

namespace kstream {

inline const bool kIsQuiet = [] {
  log::start(log::Level::kOff);
  return true;
}();

}  // namespace kstream

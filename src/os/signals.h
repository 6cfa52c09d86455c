// SIGINT and SIGTERM as values, SIGPIPE as a plain write error.
//
// Thread: made by main before any other thread, so that all inherit the mask.
#pragma once

#include <chrono>
#include <optional>

namespace kstream {

class Signals {
 public:
  // From here on the signals wait to be asked for.
  Signals();

  // The signal that came within `timeout`, if any.
  std::optional<int> wait(std::chrono::milliseconds timeout);

  // Ends the process as an unhandled SIGTERM does.
  [[noreturn]] void die();
};

}  // namespace kstream

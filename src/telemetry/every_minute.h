// For messages about a state that lasts: the first at once, the others a minute apart.
#pragma once

#include <cstdint>

namespace kstream {

class EveryMinute {
 public:
  bool is_due(std::int64_t now_ms) {
    if (now_ms < next_ms_) {
      return false;
    }
    next_ms_ = now_ms + 60'000;
    return true;
  }
  // The state has ended: the next one is said at once.
  void reset() { next_ms_ = INT64_MIN; }

 private:
  std::int64_t next_ms_ = INT64_MIN;
};

}  // namespace kstream

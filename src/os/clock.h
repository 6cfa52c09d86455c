// Time, so that tests can make it. Nothing else in the program asks the machine for it.
//
// Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

namespace kstream {

class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since 1970-01-01 UTC; jumps when somebody sets the machine's clock.
  virtual std::int64_t wall_ms() = 0;
  // Milliseconds since some moment in the past; only ever grows.
  virtual std::int64_t steady_ms() = 0;
  // Returns after the duration, or as soon as `stop` is requested.
  virtual void wait(std::chrono::milliseconds duration, const std::stop_token& stop) = 0;
};

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() override;
  std::int64_t steady_ms() override;
  void wait(std::chrono::milliseconds duration, const std::stop_token& stop) override;
};

}  // namespace kstream

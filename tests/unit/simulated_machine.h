// What a simulated program runs on besides its disk: a clock that goes when somebody waits, and
// what counts.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <vector>

#include "model/block_exchange.h"
#include "os/clock.h"
#include "pipeline/counter.h"

namespace kstream {

class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(std::int64_t& now_ms) : now_ms_(now_ms) {}
  std::int64_t wall_ms() override { return now_ms_; }
  std::int64_t steady_ms() override { return now_ms_; }
  void wait(std::chrono::milliseconds duration, const std::stop_token&) override {
    now_ms_ += duration.count();
  }

 private:
  std::int64_t& now_ms_;
};

// Made once, for a crash never happens while somebody holds a block.
struct Machine {
  Machine() {
    CountOptions options;
    options.decode.decoding = Decoding::kBytes;
    counters.emplace_back(options, 1);
  }
  BlockExchange blocks{2};
  std::vector<Counter> counters;
};

inline Machine& machine() {
  static Machine one;
  return one;
}

}  // namespace kstream

#include "app/runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/parse.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

constexpr auto kSignalWait = std::chrono::milliseconds(20);
// After an abort: how long until a thread that hangs in the system is not waited for any more.
constexpr auto kAbortGrace = std::chrono::seconds(3);

}  // namespace

std::size_t default_readers() {
  return std::max(1U, std::thread::hardware_concurrency() / 2);
}

Runtime::~Runtime() {
  request_stop();
  static_cast<void>(join());
}

void Runtime::request_stop() {
  drain_.request_stop();
  abort_.request_stop();
}

Status Runtime::start(std::function<Status()> loop) {
  std::lock_guard lock(mutex_);
  try {
    threads_.emplace_back([this, loop = std::move(loop)] { fail(loop()); });
  } catch (const std::system_error& error) {
    return Error{
        ExitCode::kOsError,
        fmt::format("no thread: {}. Nothing was started. Use fewer with --readers, or raise "
                    "the limit.",
                    error.what())};
  }
  return {};
}

Status Runtime::run(std::function<Status()> loop, std::chrono::milliseconds deadline) {
  KS_TRY(start([this, loop = std::move(loop)] {
    Status status = loop();
    main_is_done_.request_stop();
    return status;
  }));
  watch_signals(deadline);
  return {};
}

void Runtime::watch_signals(std::chrono::milliseconds deadline) {
  using std::chrono::milliseconds;
  std::optional<milliseconds> left;
  while (!main_is_done_.stop_requested()) {
    const std::optional<int> signal = signals_.wait(kSignalWait);
    if (signal && !left) {
      log::info("stopping: the batch in hand is finished first, for at most {}",
                duration_text(deadline));
      left = deadline;
      drain_.request_stop();
    } else if (signal && !abort_.stop_requested()) {
      left = milliseconds(0);
    } else if (left) {
      *left -= kSignalWait;
    }
    if (left && *left <= -milliseconds(kAbortGrace)) {
      // A write to a pipe that nobody reads, for one. The signal's own effect is all that is left.
      log::error("stopping: a thread does not end; leaving it behind");
      signals_.die();
    }
    if (left && *left <= milliseconds(0)) {
      abort_.request_stop();
    }
  }
}

Status Runtime::join() {
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
  std::lock_guard lock(mutex_);
  return failure_ ? Status(*failure_) : Status();
}

void Runtime::fail(const Status& status) {
  if (status.ok()) {
    return;
  }
  std::lock_guard lock(mutex_);
  if (!failure_) {
    failure_ = status.error();
  }
  request_stop();
}

}  // namespace kstream

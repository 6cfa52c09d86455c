#include "source/startup.h"

#include <cstdint>

#include "telemetry/every_minute.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

constexpr auto kRetryPause = std::chrono::milliseconds(500);
// A topic that was just made is not known to every broker at once.
constexpr std::int64_t kTopicAppearsMs = 2'000;

}  // namespace

Result<bool> open_patiently(const std::function<Status()>& open,
                            std::optional<std::chrono::milliseconds> timeout, Clock& clock,
                            const Stop& stop) {
  const std::int64_t started_ms = clock.steady_ms();
  std::optional<std::int64_t> topic_missing_since_ms;
  EveryMinute complaint;
  while (!stop.drain.stop_requested()) {
    const Status opened = open();
    if (opened.ok()) {
      return true;
    }
    const std::int64_t now_ms = clock.steady_ms();
    const Error& error = opened.error();
    if (error.code != ExitCode::kNoInput) {
      topic_missing_since_ms.reset();
    } else if (!topic_missing_since_ms) {
      topic_missing_since_ms = now_ms;
    }
    if (!error.is_transient || (timeout && now_ms - started_ms >= timeout->count()) ||
        (timeout && topic_missing_since_ms &&
         now_ms - *topic_missing_since_ms >= kTopicAppearsMs)) {
      return error;
    }
    // A bounded run says it once, when it ends; a missing topic may appear within its grace.
    if (!timeout && complaint.is_due(now_ms)) {
      log::warning("{} Waiting for it.", error.text);
    }
    clock.wait(kRetryPause, stop.drain);
  }
  return false;
}

}  // namespace kstream

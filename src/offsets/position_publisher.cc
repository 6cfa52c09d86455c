#include "offsets/position_publisher.h"

#include <algorithm>
#include <utility>

#include "telemetry/log.h"

namespace kstream {

void PositionPublisher::add(std::unique_ptr<OffsetStore> store) {
  Target target;
  target.store = std::move(store);
  targets_.push_back(std::move(target));
}

void PositionPublisher::offer(const OffsetMap& next) {
  {
    std::lock_guard lock(mutex_);
    offered_ = next;
  }
  is_offered_.notify_one();
}

void PositionPublisher::run(const std::stop_token& stop) {
  bool is_last = false;
  while (!is_last) {
    is_last = stop.stop_requested();  // before the look at what was offered
    wait(stop);
    publish();
  }
}

void PositionPublisher::wait(const std::stop_token& stop) {
  const bool is_behind = std::any_of(targets_.begin(), targets_.end(),
                                     [](const Target& target) { return target.is_behind; });
  const std::chrono::milliseconds longest =
      is_behind && !latest_.empty() ? std::chrono::milliseconds(kRetryAfter) : kAgainEvery;
  std::unique_lock lock(mutex_);
  const bool is_news =
      is_offered_.wait_for(lock, stop, longest, [this] { return offered_.has_value(); });
  if (is_news) {
    latest_ = *std::exchange(offered_, std::nullopt);
  }
  if (is_news || (!is_behind && !stop.stop_requested())) {
    for (Target& target : targets_) {
      target.is_behind = true;
    }
  }
}

void PositionPublisher::publish() {
  if (latest_.empty()) {
    return;
  }
  for (Target& target : targets_) {
    if (!target.is_behind) {
      continue;
    }
    const Status published = target.store->publish(latest_);
    target.is_behind = !published.ok();
    if (published.ok()) {
      target.complaint.reset();
      continue;
    }
    ++target.failures;
    if (target.complaint.is_due(clock_.steady_ms())) {
      log::warning(
          "{}: the positions could not be published, {} times so far: {} Counting goes on.",
          target.store->name(), target.failures, published.error().text);
    }
  }
}

}  // namespace kstream

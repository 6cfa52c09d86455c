#include "app/feeder.h"

#include <utility>

namespace kstream {
namespace {

// A record's own fields and, at worst, a batch header for it alone.
constexpr std::size_t kRecordOverheadBytes = 80;
constexpr auto kFlushTimeout = std::chrono::seconds(30);

}  // namespace

Feeder::Feeder(LineReader lines, std::unique_ptr<kafka::Producer> producer, std::string topic,
               std::int32_t partitions)
    : lines_(std::move(lines)),
      producer_(std::move(producer)),
      topic_(std::move(topic)),
      lanes_(static_cast<std::size_t>(partitions)) {}

Status Feeder::count_ahead(const std::stop_token& stop) {
  KS_TRY_VALUE(lines, lines_.count_lines_and_rewind(stop));
  std::lock_guard lock(mutex_);
  final_ends_ = ends_after(lines);
  return {};
}

Status Feeder::run(const std::stop_token& stop) {
  std::uint64_t sent = 0;
  while (true) {
    KS_TRY_VALUE(line, lines_.next(stop));
    if (!line || stop.stop_requested()) {
      break;
    }
    const std::size_t lane = sent % lanes_.size();
    if (!wait_for_room(lanes_[lane], line->size() + kRecordOverheadBytes, stop)) {
      break;
    }
    KS_TRY(producer_->send(static_cast<std::int32_t>(lane), std::nullopt, *line, stop));
    ++sent;
  }
  if (stop.stop_requested()) {
    return {};
  }
  KS_TRY(producer_->flush(kFlushTimeout, stop));
  std::lock_guard lock(mutex_);
  final_ends_ = ends_after(sent);
  return {};
}

bool Feeder::wait_for_room(Lane& lane, std::size_t bytes, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const bool has_room = is_counted_.wait(lock, stop, [&] {
    while (!lane.waiting.empty() && lane.waiting.front().end <= lane.counted) {
      lane.waiting_bytes -= lane.waiting.front().bytes;
      lane.waiting.pop_front();
    }
    return lane.waiting_bytes == 0 || lane.waiting_bytes + bytes <= kWindowBytes;
  });
  lane.waiting.push_back({++lane.next, bytes});
  lane.waiting_bytes += bytes;
  return has_room;
}

void Feeder::counted(const RecordBlock& block) {
  {
    std::lock_guard lock(mutex_);
    lanes_.at(static_cast<std::size_t>(block.partition().partition)).counted += block.records();
  }
  is_counted_.notify_one();
}

std::optional<OffsetMap> Feeder::final_ends() const {
  std::lock_guard lock(mutex_);
  return final_ends_;
}

OffsetMap Feeder::ends_after(std::uint64_t lines) const {
  OffsetMap ends;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const std::uint64_t here = lines / lanes_.size() + (i < lines % lanes_.size() ? 1 : 0);
    ends[{topic_, static_cast<std::int32_t>(i)}] = static_cast<Offset>(here);
  }
  return ends;
}

}  // namespace kstream

#include "checkpoint/checkpoint_store.h"

#include <utility>

namespace kstream {

CheckpointStore::CheckpointStore(FileSystem& files, std::string directory)
    : files_(&files), directory_(std::move(directory)) {}

void CheckpointStore::resume(Checkpoint stored) {
  now_ = std::move(stored);
}

Status CheckpointStore::begin(const Identity& identity, const OffsetMap& next) {
  now_ = Checkpoint{identity.stream, 1, {0, 0, next}, std::nullopt};
  return files_ == nullptr ? Status() : begin_state(*files_, directory_, {identity, now_});
}

Status CheckpointStore::intend(const BatchPlan& plan) {
  KS_CHECK(!now_.intent && plan.id == now_.committed.batch + 1);
  Checkpoint changed = now_;
  changed.intent = plan;
  return save(std::move(changed));
}

void CheckpointStore::complete() {
  KS_CHECK(now_.intent);
  now_.committed.batch = *now_.intent->id;
  now_.committed.time_ms = now_.intent->time_ms;
  for (const OffsetRange& range : now_.intent->ranges) {
    now_.committed.next[range.partition] = range.until;
  }
  now_.intent.reset();
  is_pending_ = true;
}

void CheckpointStore::abandon() {
  KS_CHECK(now_.intent);
  now_.committed.batch = *now_.intent->id;
  now_.committed.time_ms = now_.intent->time_ms;
  now_.intent.reset();
  is_pending_ = true;
}

void CheckpointStore::move(OffsetMap next) {
  KS_CHECK(!now_.intent);
  now_.committed.next = std::move(next);
  is_pending_ = true;
}

Status CheckpointStore::settle() {
  return is_pending_ ? save(now_) : Status();
}

Status CheckpointStore::save(Checkpoint changed) {
  if (files_ != nullptr) {
    ++changed.generation;
    KS_TRY(save_checkpoint(*files_, directory_, changed));
  }
  now_ = std::move(changed);
  is_pending_ = false;
  return {};
}

}  // namespace kstream

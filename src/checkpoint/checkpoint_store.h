// A stream's checkpoint, from one batch to the next: begin once, then intend, complete, intend, ...
//
// Contract: an intent is durable when intend() returns, and stays as it is until complete(). What
//   complete() says becomes durable with the next intent, in one replacement, or by settle().
//   Without a directory everything is kept in memory only.
// Thread: one at a time.
// Errors: 74 for the disk; nothing has changed then, and a full disk is transient.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/state_files.h"
#include "os/file_system.h"

namespace kstream {

class CheckpointStore {
 public:
  // Without a directory.
  CheckpointStore() = default;
  // `files` outlives the store.
  CheckpointStore(FileSystem& files, std::string directory);

  // Goes on with what was stored before.
  void resume(Checkpoint stored);
  // The first start: the positions are durable when it returns.
  Status begin(const Identity& identity, const OffsetMap& next);

  const Checkpoint& now() const { return now_; }

  Status intend(const BatchPlan& plan);
  // The intent is done: its records may be forgotten.
  void complete();
  // The intent can never be done: its id is given up, its positions are not moved.
  void abandon();
  // Positions change otherwise than by a batch: partitions that are new, records that are lost.
  void move(OffsetMap next);
  // What complete(), abandon() and move() said is durable when it returns.
  Status settle();

 private:
  Status save(Checkpoint changed);

  FileSystem* files_ = nullptr;
  std::string directory_;
  Checkpoint now_;
  bool is_pending_ = false;  // something said is not durable yet
};

}  // namespace kstream

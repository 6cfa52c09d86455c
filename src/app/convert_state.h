// Makes a direct stream's state of a stopped receiver's, and the other way round: the same stream,
// the next batch, no record lost or repeated.
//
// Contract: after a crash at any moment the directory holds the state of before or the new one, as
//   IDENTITY's source says; files of the other kind count for nothing, and the next conversion
//   removes them.
// Thread: one; the caller has locked the directory.
// Errors: 65 when the two kinds cannot say the same, with what to do; 74 for the disk. The state is
//   as it was then, or, in the middle of a removal of the old files, the new one.
// Source: docs/decisions/0008.
#pragma once

#include <string>

#include "checkpoint/checkpoint.h"
#include "checkpoint/identity.h"
#include "model/offset.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "wal/recovery.h"
#include "wal/write_ahead_log.h"

namespace kstream {

// Where the receivers' group is. Of every partition that the stream's topics have now: 0 where the
// group has committed nothing.
struct GroupPositions {
  std::string group;
  OffsetMap next;
};

// The direct stream's checkpoint that goes on where the log ends. Pure.
Result<Checkpoint> checkpoint_of(const wal::Recovered& log, const std::string& stream,
                                 const GroupPositions& group);
// What a log begins with that goes on after the checkpoint. Pure.
Result<wal::Beginning> beginning_of(const Checkpoint& checkpoint, const GroupPositions& group);

// `identity` is the directory's.
Status convert_state(FileSystem& files, Clock& clock, const std::string& directory,
                     const Identity& identity, const GroupPositions& group);

}  // namespace kstream

// What a log holds, read from its first byte to its last; and the segment that takes the place of
// its last one, which nobody writes to again.
//
// Thread: one at a time. Errors: 65 with file and byte when it is damaged or segments are missing,
//   78 when it is another stream's, 74 when it cannot be read.
// Limits: memory for a frame and for the places of the blocks that are not processed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/file_system.h"
#include "wal/format.h"
#include "wal/log_state.h"
#include "wal/segment_reader.h"
#include "wal/segment_writer.h"

namespace kstream::wal {

struct Recovered {
  LogState state;
  std::vector<LoggedBlock> planned;    // of the batch in hand
  std::vector<LoggedBlock> unplanned;  // of no batch yet
  // Of the last segment:
  SegmentHeader last;
  SegmentEnd end = SegmentEnd::kClean;
  std::uint64_t end_at = 0;     // behind its last good frame
  std::uint64_t last_hash = 0;  // of that frame's payload
  Sequence next_sequence = 0;
  std::string damage;  // of a torn end
  // Names in the directory that nothing needs: segments that a recovery has replaced, oldest first,
  // and segments that never got their name.
  std::vector<std::string> obsolete;
};

// Gets each frame after it was found good, and what the log comes to with it.
using FrameVisitor =
    std::function<void(std::string_view segment, const Frame& frame, const LogState& state)>;

// Changes nothing on the disk.
Result<Recovered> recover(FileSystem& files, const std::string& directory,
                          const std::optional<StreamId>& stream,
                          const FrameVisitor& visitor = nullptr);

// What the last segment shows, its SEAL too, may never have reached the disk. The new one, which
// has no name yet, holds the same frames, but for its SEAL and the records that are processed.
// `found` becomes what the new segment holds.
struct Growth {
  std::uint64_t step = 0;
  std::uint64_t reserve = 0;  // that is free behind the frames
};
Result<std::unique_ptr<SegmentWriter>> copy_last(FileSystem& files, const std::string& directory,
                                                 const SegmentHeader& header, Growth growth,
                                                 Recovered& found);

}  // namespace kstream::wal

// What is still good in a damaged log, and a new log of it.
//
// Every whole frame counts, before and behind each damage. What lay between is known by what later
// frames say of it: a BATCH names the ranges that it owns, and what none of them owns was done by
// then; a STATE says what the frames before it came to.
//
// Thread: one at a time. Errors: 74. The damaged log is not touched.
// Limits: memory for one segment, and for what each frame says, without the records.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "wal/log_state.h"

namespace kstream::wal {

struct Salvaged {
  std::string directory;
  bool has_state = false;  // otherwise nothing can be made of it: no STATE frame is whole
  LogState state;          // without its segments
  std::vector<LoggedBlock> planned;
  std::vector<LoggedBlock> unplanned;
  std::vector<std::string> damages;  // "FILE: bytes 8248 to 8400"
  // Not processed, as far as one can tell. Those at the end of a partition are not in `ends`: a
  // receiver asks for them again.
  std::vector<OffsetRange> lost;
  std::uint64_t blocks_unknown = 0;  // lost, too, with no frame that says of which offsets
  std::map<std::uint64_t, std::uint64_t> seeds;  // by segment
};

Result<Salvaged> salvage(FileSystem& files, const std::string& directory);

// `directory` becomes a log of what was salvaged.
Status rewrite(FileSystem& files, Clock& clock, const Salvaged& found, const std::string& directory,
               const std::string& stream_uuid);

}  // namespace kstream::wal

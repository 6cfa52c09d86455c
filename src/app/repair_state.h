// Makes a new log of what is good of a receiver's damaged one. The damaged one is kept, under
// another name.
//
// Contract: a log that can be opened is left as it is. After a crash the old log is there, or the
//   new one, or neither has its name: then the next repair gives it.
// Thread: one; the caller has locked the directory.
// Errors: 65 when nothing can be made of it; 74 for the disk.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "checkpoint/identity.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace kstream {

// What was done and what was lost, for people, line by line.
Result<std::vector<std::string>> repair_state(FileSystem& files, Clock& clock,
                                              const std::string& directory,
                                              const Identity& identity);

}  // namespace kstream

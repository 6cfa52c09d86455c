// A file that at most one process has locked. Its text names that process, for the message to
// others.
//
// Errors: 73 when the file cannot be made, 75 when another process has it, 74 when it cannot be
//   written.
// Source: open file description locks (fcntl(2)) hold until the process ends, however it ends, and
//   do not vanish when another part of the program closes the file, as POSIX locks do.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "os/clock.h"
#include "os/file_descriptor.h"

namespace kstream {

// Locked as long as the descriptor is open. `what` is what it protects, and `what_to_do` follows
// when another process has it.
Result<FileDescriptor> lock_file(const std::string& path, const std::string& what,
                                 std::string_view what_to_do, Clock& clock);

}  // namespace kstream

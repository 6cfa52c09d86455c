// Files without a name: gone when they are closed, however the process ends.
#pragma once

#include <string>

#include "os/file_descriptor.h"

namespace kstream {

// To be read and written, on the file system of the directory. Not open when that failed; the
// reason is in errno.
FileDescriptor open_nameless(const std::string& directory);

// Where such files go that may be large: TMPDIR, else /var/tmp, since /tmp is often memory.
std::string temporary_directory();

}  // namespace kstream

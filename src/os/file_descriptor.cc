#include "os/file_descriptor.h"

#include <cerrno>

namespace kstream {

bool write_all_at(const FileDescriptor& file, std::uint64_t at, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      at += static_cast<std::uint64_t>(written);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace kstream

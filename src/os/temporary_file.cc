#include "os/temporary_file.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace kstream {
namespace {

constexpr mode_t kPrivate = 0600;

}  // namespace

FileDescriptor open_nameless(const std::string& directory) {
  FileDescriptor file(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kPrivate));
  // EISDIR is what a kernel says that does not know the flag.
  if (file.is_open() || (errno != EOPNOTSUPP && errno != EISDIR)) {
    return file;
  }
  std::string name = directory + "/kstream-XXXXXX";
  FileDescriptor named(::mkostemp(name.data(), O_CLOEXEC));
  if (named.is_open()) {
    ::unlink(name.c_str());
  }
  return named;
}

std::string temporary_directory() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp";
}

}  // namespace kstream

#include "os/lock_file.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "os/file_system.h"

namespace kstream {
namespace {

Error cannot(ExitCode code, const std::string& path, std::string_view step) {
  return Error{code, fmt::format("{}: cannot {}: {}. Nothing was read. Check the path and its "
                                 "permissions.",
                                 path, step, std::strerror(errno))};
}

std::string holder(const FileDescriptor& lock) {
  std::array<char, 256> text{};
  const ssize_t length = ::pread(lock.get(), text.data(), text.size(), 0);
  std::string found(text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  found.erase(std::find(found.begin(), found.end(), '\n'), found.end());
  return found.empty() ? "an unknown process" : found;
}

// For the message only: who has it and since when.
std::string own_name(Clock& clock) {
  const auto boot = SystemFileSystem().read("/proc/sys/kernel/random/boot_id");
  std::string id = boot.ok() ? boot.value().value_or("") : "";
  id.erase(std::find(id.begin(), id.end(), '\n'), id.end());
  const auto since = static_cast<std::time_t>(clock.wall_ms() / 1000);
  return fmt::format("process {} since {:%Y-%m-%dT%H:%M:%SZ} boot {}\n", ::getpid(),
                     fmt::gmtime(since), id);
}

}  // namespace

Result<FileDescriptor> lock_file(const std::string& path, const std::string& what,
                                 std::string_view what_to_do, Clock& clock) {
  FileDescriptor lock(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!lock.is_open()) {
    return cannot(ExitCode::kCannotCreate, path, "make the lock");
  }
  struct flock request {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  if (::fcntl(lock.get(), F_OFD_SETLK, &request) != 0) {
    if (errno != EAGAIN && errno != EACCES) {
      return cannot(ExitCode::kCannotCreate, path, "lock");
    }
    return Error{ExitCode::kTryAgain, fmt::format("{}: is in use by {}. Nothing was read. {}", what,
                                                  holder(lock), what_to_do)};
  }
  const std::string self = own_name(clock);
  if (::ftruncate(lock.get(), 0) != 0 || !write_all_at(lock, 0, self)) {
    return cannot(ExitCode::kIoError, path, "write");
  }
  return lock;
}

}  // namespace kstream

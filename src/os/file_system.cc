#include "os/file_system.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "os/file_descriptor.h"

namespace kstream {
namespace {

constexpr mode_t kPrivate = 0600;
constexpr std::size_t kReadBytes = 64 * 1024;

Error failed(std::string_view step, const std::string& path) {
  return Error{ExitCode::kIoError,
               fmt::format("{}: cannot {}: {}. What it held before is untouched. Mend the disk or "
                           "the permissions, then start again.",
                           path, step, std::strerror(errno))};
}

// Of steps that may be taken again once there is room.
Error failed_or_full(std::string_view step, const std::string& path) {
  if (errno != ENOSPC && errno != EDQUOT) {
    return failed(step, path);
  }
  return Error{ExitCode::kIoError,
               fmt::format("{}: cannot {}: {}. No further batch is begun. Make room.", path, step,
                           std::strerror(errno)),
               true};
}

Status write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return failed_or_full("write", path);
    }
  }
  return {};
}

}  // namespace

Result<std::optional<std::string>> SystemFileSystem::read(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) {
    if (errno == ENOENT) {
      return std::optional<std::string>();
    }
    return failed("open", path);
  }
  std::string content;
  std::array<char, kReadBytes> buffer;
  while (true) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count == 0) {
      return std::optional(std::move(content));
    }
    if (count > 0) {
      content.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return failed("read", path);
    }
  }
}

Status SystemFileSystem::write_synced(const std::string& path, std::string_view bytes) {
  const FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kPrivate));
  if (!file.is_open()) {
    return failed_or_full("create", path);
  }
  KS_TRY(write_all(file.get(), bytes, path));
  return ::fsync(file.get()) == 0 ? Status() : Status(failed("sync", path));
}

Status SystemFileSystem::rename(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str()) == 0 ? Status() : Status(failed("rename", from));
}

Status SystemFileSystem::sync_directory(const std::string& path) {
  const FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open()) {
    return failed("open", path);
  }
  return ::fsync(directory.get()) == 0 ? Status() : Status(failed("sync", path));
}

Status replace_file(FileSystem& files, const std::string& directory, const std::string& name,
                    std::string_view bytes) {
  const std::string path = fmt::format("{}/{}", directory, name);
  const std::string temporary = path + ".tmp";
  KS_TRY(files.write_synced(temporary, bytes));
  KS_TRY(files.rename(temporary, path));
  return files.sync_directory(directory);
}

}  // namespace kstream

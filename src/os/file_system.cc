#include "os/file_system.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "os/file_descriptor.h"

namespace kstream {
namespace {

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

class SystemFile final : public WritableFile {
 public:
  SystemFile(FileDescriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  Status write_at(std::uint64_t at, std::string_view bytes) override {
    return write_all_at(file_, at, bytes) ? Status() : Status(not_written("write"));
  }

  Status extend(std::uint64_t length, std::uint64_t wanted) override {
    const auto from = static_cast<off_t>(length);
    int result = 0;
    do {
      result = ::fallocate(file_.get(), 0, from, static_cast<off_t>(wanted) - from);
    } while (result != 0 && errno == EINTR);
    if (result == 0) {
      return {};
    }
    if (errno == EOPNOTSUPP) {  // then there is no promise, only a length
      return truncate(wanted);
    }
    const Error error = not_written("extend");
    KS_TRY(truncate(length));  // a part may have been added
    return error;
  }

  Status truncate(std::uint64_t length) override {
    return ::ftruncate(file_.get(), static_cast<off_t>(length)) == 0
               ? Status()
               : Status(lasting("set the length"));
  }

  Status sync() override {
    return ::fdatasync(file_.get()) == 0 ? Status() : Status(lasting("sync"));
  }

 private:
  Error not_written(std::string_view step) const {
    if (errno != ENOSPC && errno != EDQUOT) {
      return lasting(step);
    }
    return Error{ExitCode::kIoError,
                 fmt::format("{}: cannot {}: {}. What is in it stays, and it is tried again. Make "
                             "room.",
                             path_, step, std::strerror(errno)),
                 true};
  }
  // Nobody knows what is in the file, or on the disk, now.
  Error lasting(std::string_view step) const {
    return Error{ExitCode::kIoError, fmt::format("{}: cannot {}: {}. Nothing more is written. Mend "
                                                 "the disk, then start again.",
                                                 path_, step, std::strerror(errno))};
  }

  FileDescriptor file_;
  std::string path_;
};

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
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode()));
  if (!file.is_open()) {
    return failed_or_full("create", path);
  }
  if (!write_all_at(file, 0, bytes)) {
    return failed_or_full("write", path);
  }
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

Result<std::unique_ptr<WritableFile>> SystemFileSystem::create(const std::string& path) {
  FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode()));
  if (!file.is_open()) {
    return failed_or_full("create", path);
  }
  return std::unique_ptr<WritableFile>(std::make_unique<SystemFile>(std::move(file), path));
}

Result<std::size_t> SystemFileSystem::read_at(const std::string& path, std::uint64_t at,
                                              std::span<char> into) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) {
    return failed("open", path);
  }
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t count =
        ::pread(file.get(), into.data() + done, into.size() - done, static_cast<off_t>(at + done));
    if (count == 0) {
      break;
    }
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      return failed("read", path);
    }
  }
  return done;
}

Result<std::vector<std::string>> SystemFileSystem::names(const std::string& directory) {
  std::vector<std::string> found;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(directory, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    found.push_back(entry->path().filename());
  }
  if (error) {
    errno = error.value();
    return failed("list", directory);
  }
  std::sort(found.begin(), found.end());
  return found;
}

Status SystemFileSystem::make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), readers_ == Readers::kOwner ? 0700 : 0777) == 0 || errno == EEXIST) {
    return {};
  }
  Error error = failed("make the directory", path);
  error.code = ExitCode::kCannotCreate;
  return error;
}

Status SystemFileSystem::link(const std::string& path, const std::string& target) {
  const std::string temporary = path + ".tmp";
  KS_TRY(remove(temporary));
  if (::symlink(target.c_str(), temporary.c_str()) != 0) {
    return failed_or_full("link", path);
  }
  return rename(temporary, path);
}

Status SystemFileSystem::remove(const std::string& path) {
  return std::remove(path.c_str()) == 0 || errno == ENOENT ? Status()
                                                           : Status(failed("remove", path));
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

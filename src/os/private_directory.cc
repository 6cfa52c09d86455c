#include "os/private_directory.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "os/file_system.h"
#include "os/lock_file.h"

namespace kstream {
namespace {

constexpr long kNetworkFileSystems[] = {NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC,  CIFS_SUPER_MAGIC,
                                        SMB2_SUPER_MAGIC, CODA_SUPER_MAGIC, AFS_FS_MAGIC,
                                        CEPH_SUPER_MAGIC, V9FS_MAGIC};
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

Error cannot(ExitCode code, const std::string& path, std::string_view step) {
  return Error{code, fmt::format("{}: cannot {}: {}. Nothing was read. Check the path and its "
                                 "permissions.",
                                 path, step, std::strerror(errno))};
}

Status make(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::absolute(path).parent_path();
  std::error_code error;
  std::filesystem::create_directories(parent, error);
  if (error) {
    errno = error.value();
    return cannot(ExitCode::kCannotCreate, parent, "make the directory");
  }
  if (::mkdir(path.c_str(), S_IRWXU) == 0) {
    return SystemFileSystem().sync_directory(parent);
  }
  return errno == EEXIST ? Status() : cannot(ExitCode::kCannotCreate, path, "make the directory");
}

Status check_owner(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    return cannot(ExitCode::kCannotCreate, path, "look at the directory");
  }
  if (!S_ISDIR(about.st_mode)) {
    return Error{ExitCode::kCannotCreate,
                 fmt::format("{}: is not a directory. Nothing was read. Name another.", path)};
  }
  if (about.st_uid != ::geteuid()) {
    return Error{ExitCode::kNoPermission,
                 fmt::format("{}: belongs to user {}, kstream runs as user {}. Nothing was read. "
                             "Run it as that user, or name another directory.",
                             path, about.st_uid, ::geteuid())};
  }
  if ((about.st_mode & kOthers) != 0) {
    return Error{ExitCode::kNoPermission,
                 fmt::format("{}: is open to other users (mode {:04o}). Nothing was read. Close it "
                             "with: chmod 700 {}",
                             path, about.st_mode & 07777U, path)};
  }
  return {};
}

Status check_file_system(const std::string& path) {
  struct statfs about {};
  if (::statfs(path.c_str(), &about) != 0) {
    return cannot(ExitCode::kCannotCreate, path, "look at the file system");
  }
  const bool is_network =
      std::any_of(std::begin(kNetworkFileSystems), std::end(kNetworkFileSystems),
                  [&](long magic) { return magic == static_cast<long>(about.f_type); });
  if (is_network) {
    return Error{ExitCode::kConfig,
                 fmt::format("{}: lies on a network file system, where locks and syncs may not "
                             "hold. Nothing was read. Name a local directory, or say "
                             "--allow-network-fs.",
                             path)};
  }
  return {};
}

}  // namespace

Result<PrivateDirectory> PrivateDirectory::open(const std::string& path, bool may_be_on_network,
                                                Clock& clock) {
  KS_TRY(make(path));
  KS_TRY(check_owner(path));
  if (!may_be_on_network) {
    KS_TRY(check_file_system(path));
  }
  KS_TRY_VALUE(lock, lock_file(fmt::format("{}/{}", path, kLockName), path,
                               "Stop that one, or name another --state-dir.", clock));
  return PrivateDirectory(path, std::move(lock));
}

Result<std::vector<std::string>> PrivateDirectory::names() const {
  std::vector<std::string> found;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(path_, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    found.push_back(entry->path().filename());
  }
  if (error) {
    errno = error.value();
    return cannot(ExitCode::kIoError, path_, "list");
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace kstream

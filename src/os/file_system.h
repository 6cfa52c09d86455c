// The file system as far as it matters for what must survive a crash. Everything durable goes
// through this seam, so that a test can stop the program before and after each step.
//
// Thread: any, but two threads do not work on one path.
// Errors: 74 with the path, the step and the reason. A failed sync is never tried again: nobody
//   knows what has reached the disk, so the process ends. A full disk is transient.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kstream {

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // All of the file; nothing when it is not there.
  virtual Result<std::optional<std::string>> read(const std::string& path) = 0;
  // Makes the file, or replaces its content, and waits until the content is on the disk. The name
  // of a new file is there for good only after sync_directory.
  virtual Status write_synced(const std::string& path, std::string_view bytes) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  // What has been named, renamed or removed in the directory is so for good.
  virtual Status sync_directory(const std::string& path) = 0;
};

class SystemFileSystem final : public FileSystem {
 public:
  Result<std::optional<std::string>> read(const std::string& path) override;
  Status write_synced(const std::string& path, std::string_view bytes) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_directory(const std::string& path) override;
};

// The file `directory`/`name` holds `bytes`, or, after a crash, what it held before. Its temporary
// name is `name`.tmp.
Status replace_file(FileSystem& files, const std::string& directory, const std::string& name,
                    std::string_view bytes);

}  // namespace kstream

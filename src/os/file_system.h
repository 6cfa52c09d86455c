// The file system as far as it matters for what must survive a crash. Everything durable goes
// through this seam, so that a test can stop the program before and after each step.
//
// Thread: any, but two threads do not work on one path.
// Errors: 74 with the path, the step and the reason. A failed sync is never tried again: nobody
//   knows what has reached the disk, so the process ends. A full disk is transient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kstream {

// A file that is written in place. Nothing of it is on the disk for good before sync().
class WritableFile {
 public:
  virtual ~WritableFile() = default;

  // After an error any part of the bytes may have been written.
  virtual Status write_at(std::uint64_t at, std::string_view bytes) = 0;
  // Makes a file of `length` bytes one of `wanted`: the new ones read as zeros and have their place
  // on the disk. After an error the file is as long as before.
  virtual Status extend(std::uint64_t length, std::uint64_t wanted) = 0;
  virtual Status truncate(std::uint64_t length) = 0;
  // What has been written, and the length, is on the disk.
  virtual Status sync() = 0;
};

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

  // An empty file of this name; what had the name before is gone.
  virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path) = 0;
  // Fills `into` from that place on and says how many bytes there were: fewer at the end only.
  virtual Result<std::size_t> read_at(const std::string& path, std::uint64_t at,
                                      std::span<char> into) = 0;
  // Of what is in the directory, in order.
  virtual Result<std::vector<std::string>> names(const std::string& directory) = 0;
  // For its owner alone. Fine when it is there. Errors: 73.
  virtual Status make_directory(const std::string& path) = 0;
  // A symbolic link of this name; what had the name before is gone.
  virtual Status link(const std::string& path, const std::string& target) = 0;
  // A file, or a directory that is empty. Fine when it is not there.
  virtual Status remove(const std::string& path) = 0;
};

class SystemFileSystem final : public FileSystem {
 public:
  enum class Readers { kOwner, kAll };

  // Files that it makes can be read by these, as far as the umask allows.
  explicit SystemFileSystem(Readers readers = Readers::kOwner) : readers_(readers) {}

  Result<std::optional<std::string>> read(const std::string& path) override;
  Status write_synced(const std::string& path, std::string_view bytes) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_directory(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<std::size_t> read_at(const std::string& path, std::uint64_t at,
                              std::span<char> into) override;
  Result<std::vector<std::string>> names(const std::string& directory) override;
  Status make_directory(const std::string& path) override;
  Status link(const std::string& path, const std::string& target) override;
  Status remove(const std::string& path) override;

 private:
  unsigned mode() const { return readers_ == Readers::kOwner ? 0600 : 0666; }

  Readers readers_;
};

// The file `directory`/`name` holds `bytes`, or, after a crash, what it held before. Its temporary
// name is `name`.tmp.
Status replace_file(FileSystem& files, const std::string& directory, const std::string& name,
                    std::string_view bytes);

}  // namespace kstream

// A directory that this process alone uses: its own user's, closed to others, locked.
//
// Thread: one.
// Errors: 73 when it cannot be made, 75 when another process holds it (the text names it), 77 when
//   it is another user's or open to others, 78 when it lies on a network file system.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "os/clock.h"
#include "os/file_descriptor.h"

namespace kstream {

class PrivateDirectory {
 public:
  static constexpr const char* kLockName = "LOCK";

  // Makes the directory, with its parents, where it is missing.
  static Result<PrivateDirectory> open(const std::string& path, bool may_be_on_network,
                                       Clock& clock);

  const std::string& path() const { return path_; }
  // The names of what is in it, in order.
  Result<std::vector<std::string>> names() const;

 private:
  PrivateDirectory(std::string path, FileDescriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  FileDescriptor lock_;
};

}  // namespace kstream

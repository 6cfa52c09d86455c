// A file without a name, for what does not fit into memory.
//
// Thread: one at a time.
// Errors: 74 with the directory, the step and the reason; none of them is transient.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/file_descriptor.h"

namespace kstream {

class ScratchFile {
 public:
  // On the file system of the directory.
  static Result<ScratchFile> create(const std::string& directory);

  Status append(std::string_view bytes);
  // Fills all of `into` from that place on.
  Status read_at(std::uint64_t at, std::span<char> into) const;
  std::uint64_t bytes() const { return bytes_; }

 private:
  ScratchFile(std::string directory, FileDescriptor file)
      : directory_(std::move(directory)), file_(std::move(file)) {}

  Error failed(std::string_view step) const;

  std::string directory_;
  FileDescriptor file_;
  std::uint64_t bytes_ = 0;
};

}  // namespace kstream

// The place on a disk for counts that do not fit into memory, and how much of it may be used.
//
// Thread: any; the counting threads share one.
// Errors: 74 when there is no more, with the numbers.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace kstream {

class ScratchSpace {
 public:
  // Of the free space so much is left to others, unless a limit says otherwise.
  static constexpr std::uint64_t kLeftFree = std::uint64_t{256} * 1024 * 1024;

  // A limit of 0 is none at all.
  ScratchSpace(std::string directory, std::optional<std::uint64_t> bytes_max)
      : directory_(std::move(directory)), bytes_max_(bytes_max) {}

  // Says that so many bytes are about to be written, and that they are no longer needed.
  Status reserve(std::uint64_t bytes);
  void release(std::uint64_t bytes) { used_ -= bytes; }

  const std::string& directory() const { return directory_; }
  std::uint64_t used() const { return used_; }

 private:
  const std::string directory_;
  const std::optional<std::uint64_t> bytes_max_;
  std::atomic<std::uint64_t> used_ = 0;
};

}  // namespace kstream

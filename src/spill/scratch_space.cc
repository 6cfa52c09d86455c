#include "spill/scratch_space.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

namespace kstream {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

Error no_room(std::string what) {
  return Error{ExitCode::kIoError,
               std::move(what) +
                   " The batch has reached no output by it and is not completed. "
                   "Give more memory with --memory, more room with --spill-max or "
                   "another --state-dir, or make batches smaller."};
}

}  // namespace

Status ScratchSpace::reserve(std::uint64_t bytes) {
  const std::uint64_t wanted = used_ += bytes;
  if (bytes_max_ && wanted > *bytes_max_) {
    used_ -= bytes;
    return no_room(
        fmt::format("{}: the words of this batch do not fit into --memory, and need more than the "
                    "{} MiB on the disk that --spill-max allows.",
                    directory_, *bytes_max_ / kMiB));
  }
  if (!bytes_max_) {
    std::error_code error;
    const std::filesystem::space_info space = std::filesystem::space(directory_, error);
    if (!error && space.available < kLeftFree + bytes) {
      used_ -= bytes;
      return no_room(fmt::format(
          "{}: the words of this batch do not fit into --memory; {} MiB of them are on the disk, "
          "which has {} MiB free now, and kstream leaves {} MiB to others.",
          directory_, wanted / kMiB, space.available / kMiB, kLeftFree / kMiB));
    }
  }
  return {};
}

}  // namespace kstream

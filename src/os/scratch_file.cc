#include "os/scratch_file.h"

#include <fmt/format.h>
#include <sys/types.h>

#include <cerrno>
#include <cstring>

#include "os/temporary_file.h"

namespace kstream {
Result<ScratchFile> ScratchFile::create(const std::string& directory) {
  ScratchFile scratch(directory, open_nameless(directory));
  if (!scratch.file_.is_open()) {
    return scratch.failed("make a file there");
  }
  return scratch;
}

Status ScratchFile::append(std::string_view bytes) {
  if (!write_all_at(file_, bytes_, bytes)) {
    return failed("write");
  }
  bytes_ += bytes.size();
  return {};
}

Status ScratchFile::read_at(std::uint64_t at, std::span<char> into) const {
  while (!into.empty()) {
    const ssize_t read = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(at));
    if (read > 0) {
      into = into.subspan(static_cast<std::size_t>(read));
      at += static_cast<std::uint64_t>(read);
    } else if (read == 0) {
      errno = EIO;  // shorter than what has been written
      return failed("read");
    } else if (errno != EINTR) {
      return failed("read");
    }
  }
  return {};
}

Error ScratchFile::failed(std::string_view step) const {
  return Error{ExitCode::kIoError,
               fmt::format("{}: counts that do not fit into --memory go there, but it cannot {}: "
                           "{}. The batch has reached no output by it and is not completed. Mend "
                           "the disk, or give more memory with --memory.",
                           directory_, step, std::strerror(errno))};
}

}  // namespace kstream

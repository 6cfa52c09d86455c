#include "os/line_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "os/output.h"
#include "os/temporary_file.h"

namespace kstream {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr int kStopCheckMs = 100;

}  // namespace

Result<LineReader> LineReader::open(const std::string& path) {
  if (path == "-") {
    return LineReader(FileDescriptor(::dup(STDIN_FILENO)), "standard input");
  }
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    const ExitCode code = errno == EACCES ? ExitCode::kNoPermission : ExitCode::kNoInput;
    return Error{code, fmt::format("{}: cannot be opened: {}. Nothing was read. Check the path.",
                                   path, std::strerror(errno))};
  }
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return Error{ExitCode::kNoInput,
                 fmt::format("{}: is a directory. Nothing was read. Name a file.", path)};
  }
  return LineReader(std::move(file), path);
}

Result<std::optional<std::string_view>> LineReader::next(const std::stop_token& stop) {
  while (true) {
    const void* newline =
        end_ > scanned_ ? std::memchr(buffer_.data() + scanned_, '\n', end_ - scanned_) : nullptr;
    const std::size_t line_end =
        newline == nullptr
            ? end_
            : static_cast<std::size_t>(static_cast<const char*>(newline) - buffer_.data());
    if (line_end - begin_ > kLineBytesMax) {
      return Error{ExitCode::kData,
                   fmt::format("{}: line {} has more than {} bytes, the largest record there can "
                               "be. The lines before it were taken. Split it.",
                               name_, lines_ + 1, kLineBytesMax)};
    }
    if (newline != nullptr) {
      const std::string_view line(buffer_.data() + begin_, line_end - begin_);
      begin_ = scanned_ = line_end + 1;
      ++lines_;
      return std::optional(line);
    }
    scanned_ = end_;
    KS_TRY_VALUE(more, fill(stop));
    if (!more) {
      if (begin_ == end_ || stop.stop_requested()) {
        return std::optional<std::string_view>();
      }
      const std::string_view line(buffer_.data() + begin_, end_ - begin_);
      begin_ = scanned_ = end_;
      ++lines_;
      return std::optional(line);
    }
  }
}

Result<bool> LineReader::fill(const std::stop_token& stop) {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    scanned_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < end_ + kReadBytes) {
    buffer_.resize(std::max(end_ + kReadBytes, buffer_.size() * 2));
  }
  while (!stop.stop_requested()) {
    pollfd waiting{file_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kStopCheckMs) == 0) {
      continue;
    }
    const ssize_t count = ::read(file_.get(), buffer_.data() + end_, buffer_.size() - end_);
    if (count > 0) {
      end_ += static_cast<std::size_t>(count);
      return true;
    }
    if (count == 0) {
      return false;
    }
    if (errno != EINTR && errno != EAGAIN) {
      return Error{ExitCode::kIoError,
                   fmt::format("{}: cannot be read after line {}: {}. The lines before were taken.",
                               name_, lines_, std::strerror(errno))};
    }
  }
  return false;
}

Status LineReader::spool(const std::stop_token& stop) {
  const std::string directory = temporary_directory();
  FileDescriptor copy = open_nameless(directory);
  if (!copy.is_open()) {
    return Error{ExitCode::kCannotCreate,
                 fmt::format("{}: no temporary file for a copy of {}: {}. Nothing was counted. Set "
                             "TMPDIR to a directory that can be written, or leave out --once.",
                             directory, name_, std::strerror(errno))};
  }
  Output output(copy.get(), fmt::format("the temporary copy of {}", name_));
  while (true) {
    KS_TRY(output.write({buffer_.data() + begin_, end_ - begin_}));
    begin_ = scanned_ = end_ = 0;
    const Result<bool> more = fill(stop);
    if (!more.ok() || !more.value()) {
      file_ = std::move(copy);
      return more.ok() ? Status() : Status(more.error());
    }
  }
}

Result<std::uint64_t> LineReader::count_lines_and_rewind(const std::stop_token& stop) {
  const off_t start = ::lseek(file_.get(), 0, SEEK_CUR);
  if (start < 0) {
    KS_TRY(spool(stop));
    KS_CHECK(::lseek(file_.get(), 0, SEEK_SET) == 0);
  }
  while (true) {
    KS_TRY_VALUE(line, next(stop));
    if (!line) {
      break;
    }
  }
  if (::lseek(file_.get(), start < 0 ? 0 : start, SEEK_SET) < 0) {
    return Error{ExitCode::kIoError,
                 fmt::format("{}: cannot be read twice: {}. Nothing was counted.", name_,
                             std::strerror(errno))};
  }
  begin_ = scanned_ = end_ = 0;
  return std::exchange(lines_, 0);
}

}  // namespace kstream

// Lines of a file or of standard input, however long they take to come.
//
// Thread: one at a time.
// Errors: 66 when the file is not there or a directory, 77 when it must not be read, 74 when
//   reading fails, 65 when a line is too long.
// Limits: a line has at most kLineBytesMax bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/file_descriptor.h"

namespace kstream {

class LineReader {
 public:
  static constexpr std::size_t kLineBytesMax = 16 * 1024 * 1024;  // a record's limit

  // Opens the file; "-" is standard input.
  static Result<LineReader> open(const std::string& path);

  // The next line without its newline, valid until the next call; a last line without newline is
  // one, too. Nothing at the end, or once `stop` is requested.
  Result<std::optional<std::string_view>> next(const std::stop_token& stop);

  // From here on lines come from the beginning again. Input that can be read only once (a pipe) is
  // first copied to a temporary file that has no name, up to its end.
  // Errors: 73 or 74 when the copy cannot be made.
  Result<std::uint64_t> count_lines_and_rewind(const std::stop_token& stop);

 private:
  LineReader(FileDescriptor file, std::string name)
      : file_(std::move(file)), name_(std::move(name)) {}
  // Reads more bytes behind those that wait; false at the end of input or when stopped.
  Result<bool> fill(const std::stop_token& stop);
  Status spool(const std::stop_token& stop);

  FileDescriptor file_;
  std::string name_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;    // the first byte not given out
  std::size_t scanned_ = 0;  // no newline in [begin_, scanned_)
  std::size_t end_ = 0;
  std::uint64_t lines_ = 0;
};

}  // namespace kstream

// Writing to a file descriptor that somebody may have stopped reading.
//
// Thread: one at a time.
// Errors: 141 when the reader of a pipe has gone; 74 for all else.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace kstream {

class Output {
 public:
  // `name` is what error texts call it. The descriptor stays the caller's.
  Output(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  // All of the bytes have been handed to the system when it returns without error.
  Status write(std::string_view bytes);
  // An error as soon as the reader of a pipe has gone, also when there is nothing to write.
  Status check_reader() const;
  bool is_terminal() const;

 private:
  const int descriptor_;
  const std::string name_;
};

}  // namespace kstream

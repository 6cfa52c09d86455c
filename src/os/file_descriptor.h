// An open file with an owner.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace kstream {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileDescriptor() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

// Writes all of the bytes from that place on. False, with the reason in errno, when that failed;
// any part may be there then.
bool write_all_at(const FileDescriptor& file, std::uint64_t at, std::string_view bytes);

}  // namespace kstream

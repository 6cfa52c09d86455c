// Memory for bytes that live until all of them are given back at once.
//
// Thread: one at a time.
// Limits: chunks of kChunkBytes; a larger piece has a chunk of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace kstream {

class Arena {
 public:
  static constexpr std::size_t kChunkBytes = 256 * 1024;

  // Copies the bytes, which then stay where they are until clear().
  const char* copy(std::string_view bytes);

  // Gives everything back. Chunks are kept for the next batch; those beyond four times what this
  // one used go.
  void clear();

  // Memory held, kept chunks included.
  std::size_t bytes() const { return chunks_.size() * kChunkBytes + large_bytes_; }

 private:
  std::vector<std::unique_ptr<char[]>> chunks_;  // the first used_chunks_ are in use
  std::size_t used_chunks_ = 0;
  char* free_ = nullptr;  // the rest of the chunk in use
  std::size_t free_bytes_ = 0;
  std::vector<std::unique_ptr<char[]>> large_;
  std::size_t large_bytes_ = 0;
};

}  // namespace kstream

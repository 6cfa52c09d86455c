#include "words/arena.h"

#include <cstring>

namespace kstream {

const char* Arena::copy(std::string_view bytes) {
  if (bytes.size() > free_bytes_) {
    // A piece above a quarter of a chunk would waste too much of the one in use.
    if (bytes.size() > kChunkBytes / 4) {
      large_.push_back(std::make_unique_for_overwrite<char[]>(bytes.size()));
      large_bytes_ += bytes.size();
      std::memcpy(large_.back().get(), bytes.data(), bytes.size());
      return large_.back().get();
    }
    if (used_chunks_ == chunks_.size()) {
      chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunkBytes));
    }
    free_ = chunks_[used_chunks_++].get();
    free_bytes_ = kChunkBytes;
  }
  char* const copied = free_;
  if (!bytes.empty()) {
    std::memcpy(copied, bytes.data(), bytes.size());
  }
  free_ += bytes.size();
  free_bytes_ -= bytes.size();
  return copied;
}

void Arena::clear() {
  large_.clear();
  large_bytes_ = 0;
  if (const std::size_t kept = used_chunks_ * 4 + 1; chunks_.size() > kept) {
    chunks_.resize(kept);
  }
  used_chunks_ = 0;
  free_ = nullptr;
  free_bytes_ = 0;
}

}  // namespace kstream

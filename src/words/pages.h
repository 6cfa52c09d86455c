// Zeroed memory for the elements of a table, straight from the system: a table that grows into new
// memory gives its old memory back while it is moved, so that both are never there as a whole.
//
// Errors: throws std::bad_alloc as `new` does.
// Thread: one at a time.
// Limits: whole pages; for a large table of 2 MiB, where the system has such.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace kstream {

void* map_pages(std::size_t bytes);
void unmap_pages(void* first, std::size_t bytes);
// Of `bytes` bytes, whole large pages only. What is given back reads as zeroes.
void give_back_pages(void* first, std::size_t bytes);

template <class T>
class Pages {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit Pages(std::size_t size)
      : first_(static_cast<T*>(map_pages(size * sizeof(T)))), size_(size) {}
  Pages(Pages&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Pages& operator=(Pages&& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Pages() {
    if (first_ != nullptr) {
      unmap_pages(first_, bytes());
    }
  }

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  T& operator[](std::size_t i) { return first_[i]; }
  const T& operator[](std::size_t i) const { return first_[i]; }
  std::span<T> all() { return {first_, size_}; }

  // The elements before this one are not needed any more.
  void give_back_before(std::size_t i) { give_back_pages(first_, i * sizeof(T)); }

 private:
  T* first_;
  std::size_t size_;
};

}  // namespace kstream

#include "words/pages.h"

#include <sys/mman.h>

#include <new>

namespace kstream {
namespace {

constexpr std::size_t kLargePageBytes = 2 * 1024 * 1024;

}  // namespace

void* map_pages(std::size_t bytes) {
  void* const first =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (first == MAP_FAILED) {
    throw std::bad_alloc();
  }
  if (bytes >= 2 * kLargePageBytes) {
    madvise(first, bytes, MADV_HUGEPAGE);  // without it, it is slower
  }
  return first;
}

void unmap_pages(void* first, std::size_t bytes) {
  munmap(first, bytes);
}

void give_back_pages(void* first, std::size_t bytes) {
  const auto beyond_large_page = (reinterpret_cast<std::size_t>(first) + bytes) % kLargePageBytes;
  if (bytes > beyond_large_page) {
    madvise(first, bytes - beyond_large_page, MADV_DONTNEED);
  }
}

}  // namespace kstream

#include "app/memory.h"

#include <algorithm>

namespace kstream {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kDefaultBytes = 512 * kMiB;
constexpr std::uint64_t kPrefetchBytesMax = 16 * kMiB;  // more makes nothing faster

}  // namespace

MemoryPlan plan_memory(std::optional<std::uint64_t> chosen, std::optional<std::uint64_t> limit,
                       std::size_t counters) {
  const std::uint64_t bytes =
      chosen.value_or(limit ? std::min(kDefaultBytes, *limit / 2) : kDefaultBytes);
  const std::uint64_t prefetch = std::min(kPrefetchBytesMax, bytes / 4);
  return {prefetch, (bytes - prefetch) / counters};
}

}  // namespace kstream

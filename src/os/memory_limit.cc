#include "os/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <string_view>

namespace kstream {
namespace {

// A limit above this is none: what version 1 says without one is 2^63, less a page.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 62;

void lower(std::optional<std::uint64_t>& limit, const std::string& path) {
  std::ifstream file(path);
  std::uint64_t bytes = 0;
  if (file >> bytes && bytes < kNoLimit) {  // "max" is no number
    limit = std::min(limit.value_or(bytes), bytes);
  }
}

}  // namespace

std::optional<std::uint64_t> memory_limit(const std::string& root) {
  std::optional<std::uint64_t> limit;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // NUMBER:CONTROLLERS:PATH
    const std::size_t controllers = line.find(':') + 1;
    const std::size_t path = line.find(':', controllers) + 1;
    if (controllers == 0 || path == 0) {
      continue;
    }
    const std::string_view named =
        std::string_view(line).substr(controllers, path - controllers - 1);
    if (!named.empty() && named != "memory") {
      continue;
    }
    const std::string folder = root + "/sys/fs/cgroup" + (named.empty() ? "" : "/memory");
    const char* name = named.empty() ? "/memory.max" : "/memory.limit_in_bytes";
    std::string group = line.substr(path);
    while (true) {
      lower(limit, folder + group + name);
      const std::size_t above = group.rfind('/');
      if (above == std::string::npos) {
        break;
      }
      group.resize(above);
    }
  }
  return limit;
}

}  // namespace kstream

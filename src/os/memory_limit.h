// The memory that this process may use, when less than the machine has: its control group's limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kstream {

// In bytes; the lowest of the group and those above it. Nothing without a limit, or when it cannot
// be known. `root` is where the files of the system are, for tests.
// Source: cgroups(7), memory.max of version 2 and memory.limit_in_bytes of version 1.
std::optional<std::uint64_t> memory_limit(const std::string& root = "");

}  // namespace kstream

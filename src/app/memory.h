// What --memory is divided into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/settings.h"

namespace kstream {

struct MemoryPlan {
  std::size_t prefetch_bytes = 0;   // records that wait in the clients
  std::uint64_t counter_bytes = 0;  // of each counting thread's words
};

// `limit` is what the system allows the process; it matters where nothing was chosen.
MemoryPlan plan_memory(std::optional<std::uint64_t> chosen, std::optional<std::uint64_t> limit,
                       std::size_t counters);

}  // namespace kstream

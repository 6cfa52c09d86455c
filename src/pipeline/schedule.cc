#include "pipeline/schedule.h"

#include <algorithm>

namespace kstream {

BatchTime next_boundary(std::int64_t now_ms, BatchTime last, std::chrono::milliseconds interval) {
  return (std::max(now_ms, last) / interval.count() + 1) * interval.count();
}

BatchTime next_moment(std::int64_t now_ms, BatchTime last) {
  return std::max(now_ms, last + 1);
}

}  // namespace kstream

#include "pipeline/merged_counts.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "spill/run_merge.h"

namespace kstream {
namespace {

constexpr std::size_t kVisitedAtOnce = 256;

// How many of the first counters have their words in the first one's table now.
std::size_t merge_tables(std::span<Counter> counters) {
  if (std::any_of(counters.begin(), counters.end(),
                  [](const Counter& c) { return c.tally().has_runs(); })) {
    return 1;
  }
  Tally& first = counters.front().tally();
  const std::uint64_t memory_bytes = first.memory_bytes() * counters.size();
  std::uint64_t merged_bytes = 0;  // of tables that are of no use any more
  for (std::size_t i = 1; i < counters.size(); ++i) {
    const std::uint64_t left = memory_bytes - std::min(memory_bytes, merged_bytes);
    const Tally& other = counters[i].tally();
    if (!first.can_merge(other, left)) {
      return i;
    }
    first.merge_from(other);
    merged_bytes += other.table().bytes();
  }
  return counters.size();
}

}  // namespace

Result<MergedCounts> MergedCounts::merge(std::span<Counter> counters) {
  MergedCounts merged;
  for (const Counter& counter : counters) {
    merged.totals_ += counter.totals();
  }
  Tally& first = counters.front().tally();
  const std::size_t merged_tables = merge_tables(counters);
  if (merged_tables == counters.size() && !first.has_runs()) {
    merged.table_ = &first.table();
    return merged;
  }
  KS_TRY_VALUE(runs, first.take_runs());
  for (Counter& other : counters.subspan(merged_tables)) {
    KS_TRY_VALUE(others, other.tally().take_runs());
    std::move(others.begin(), others.end(), std::back_inserter(runs));
  }
  KS_TRY(reduce(runs, 1, Order::kWord, *first.space()));
  merged.run_ = std::move(runs.front());
  return merged;
}

Status MergedCounts::for_each(const Visit& visit) const {
  if (run_) {
    RunReader reader(*run_);
    while (true) {
      KS_TRY_VALUE(has_word, reader.next());
      if (!has_word) {
        return {};
      }
      KS_TRY(visit({&reader.word(), 1}));
    }
  }
  Status visited;
  std::array<WordCount, kVisitedAtOnce> words;
  std::size_t size = 0;
  const auto pass = [&] {
    if (visited.ok()) {
      visited = visit({words.data(), size});
    }
    size = 0;
  };
  table_->for_each([&](std::string_view word, std::uint64_t count) {
    words[size++] = {word, count};
    if (size == words.size()) {
      pass();
    }
  });
  pass();
  return visited;
}

}  // namespace kstream

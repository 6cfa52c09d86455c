#include "pipeline/tally.h"

#include <string_view>
#include <utility>

#include "base/check.h"
#include "spill/word_sorter.h"

namespace kstream {
namespace {

// Of the list that sorts so many words.
std::uint64_t bytes_to_sort(std::size_t words) {
  return words * sizeof(PlacedWord);
}

}  // namespace

Status Tally::add_each(const Kernel& kernel, const char* memory, const WordList& words) {
  if (table_.bytes_to_add(words.size) + bytes_to_sort(table_.size() + words.size) > memory_bytes_)
      [[unlikely]] {
    KS_TRY(spill());
  }
  table_.add_each(kernel, memory, words);
  return {};
}

void Tally::clear() {
  table_.clear();
  runs_.clear();
}

bool Tally::can_merge(const Tally& other, std::uint64_t memory_bytes) const {
  return table_.bytes_to_merge(other.table_) + bytes_to_sort(table_.size() + other.table_.size()) +
             other.table_.bytes() <=
         memory_bytes;
}

Result<std::vector<Run>> Tally::take_runs() {
  if (!table_.is_empty()) {
    KS_TRY(spill());
  }
  table_ = WordTable(hash_seed_);
  return std::exchange(runs_, {});
}

Status Tally::spill() {
  KS_CHECK(space_ != nullptr);
  std::vector<PlacedWord> words;
  words.reserve(table_.size());
  table_.for_each([&](std::string_view word, std::uint64_t count) {
    words.push_back(placed({word, count}, Order::kWord));
  });
  KS_TRY_VALUE(run, write_run(words, *space_));
  runs_.push_back(std::move(run));
  table_.clear();
  return {};
}

}  // namespace kstream

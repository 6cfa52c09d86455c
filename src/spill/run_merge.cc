#include "spill/run_merge.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace kstream {

Result<RunMerge> RunMerge::begin(std::vector<Run> runs, Order order) {
  KS_CHECK(runs.size() <= kRunsAtOnce);
  RunMerge merge(std::move(runs), order);
  for (std::size_t i = 0; i < merge.readers_.size(); ++i) {
    KS_TRY(merge.advance(i));
  }
  return merge;
}

RunMerge::RunMerge(std::vector<Run> runs, Order order) : runs_(std::move(runs)), order_(order) {
  for (const Run& run : runs_) {
    readers_.emplace_back(run);
  }
}

Result<const WordCount*> RunMerge::next() {
  if (heads_.empty()) {
    return nullptr;
  }
  // The reader's view of the word goes when it goes on.
  text_ = heads_.front().word.word.word;
  word_ = {text_, heads_.front().word.word.count};
  KS_TRY(advance(take_first()));
  while (order_ == Order::kWord && !heads_.empty() && heads_.front().word.word.word == word_.word) {
    word_.count += heads_.front().word.word.count;
    KS_TRY(advance(take_first()));
  }
  return &word_;
}

Status RunMerge::advance(std::size_t reader) {
  KS_TRY_VALUE(has_word, readers_[reader].next());
  if (has_word) {
    heads_.push_back({placed(readers_[reader].word(), order_), reader});
    std::push_heap(heads_.begin(), heads_.end());
  }
  return {};
}

std::size_t RunMerge::take_first() {
  std::pop_heap(heads_.begin(), heads_.end());
  const std::size_t reader = heads_.back().reader;
  heads_.pop_back();
  return reader;
}

Status reduce(std::vector<Run>& runs, std::size_t runs_max, Order order, ScratchSpace& space) {
  while (runs.size() > runs_max) {
    // As few as bring their number down to the wanted one, and never more than fit side by side.
    const std::size_t together =
        std::min({runs.size(), runs.size() - runs_max + 1, RunMerge::kRunsAtOnce});
    const auto end = runs.begin() + static_cast<std::ptrdiff_t>(together);
    std::vector<Run> some(std::move_iterator(runs.begin()), std::move_iterator(end));
    runs.erase(runs.begin(), end);
    KS_TRY_VALUE(run, Run::create(space));
    RunWriter writer(std::move(run));
    KS_TRY_VALUE(merge, RunMerge::begin(std::move(some), order));
    while (true) {
      KS_TRY_VALUE(word, merge.next());
      if (word == nullptr) {
        break;
      }
      KS_TRY(writer.add(*word));
    }
    KS_TRY_VALUE(merged, std::move(writer).finish());
    runs.push_back(std::move(merged));
  }
  return {};
}

}  // namespace kstream

#include "spill/word_sorter.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace kstream {
namespace {

constexpr std::size_t kWordsMin = 4096;

}  // namespace

WordSorter::WordSorter(const Options& options, ScratchSpace& space)
    : options_(options),
      space_(&space),
      top_(options.top.value_or(std::numeric_limits<std::size_t>::max())),
      // Where words are copied a third of the memory is for their text.
      room_(options.memory_bytes / sizeof(PlacedWord) / 3 * (options.are_kept ? 3 : 2)),
      copied_bytes_max_(std::max(options.memory_bytes / 3, Arena::kChunkBytes * 4)) {
  // Twice as many as are wanted: then each word is looked at a few times only.
  const std::size_t wanted = std::max(std::min(top_, room_), kWordsMin / 2) * 2;
  room_ = std::min<std::size_t>(std::max(room_, kWordsMin), wanted);
  words_.reserve(std::min<std::size_t>(room_, options.words));
}

Status WordSorter::add(std::span<const WordCount> words) {
  for (const WordCount& word : words) {
    if (is_full()) {
      KS_TRY(make_room());
    }
    const std::string_view text =
        options_.are_kept ? word.word : std::string_view(copies_.copy(word.word), word.word.size());
    words_.push_back(placed({text, word.count}, options_.order));
  }
  return {};
}

Status WordSorter::finish() {
  keep_first();
  if (runs_.empty()) {
    std::sort(words_.begin(), words_.end());
    return {};
  }
  KS_TRY(spill());
  KS_TRY(reduce(runs_, RunMerge::kRunsAtOnce, options_.order, *space_));
  KS_TRY_VALUE(merge, RunMerge::begin(std::move(runs_), options_.order));
  merge_ = std::move(merge);
  return {};
}

Result<const WordCount*> WordSorter::next() {
  if (given_ == top_ || (!merge_ && given_ == words_.size())) {
    return nullptr;
  }
  ++given_;
  return merge_ ? merge_->next() : &words_[given_ - 1].word;
}

Status WordSorter::make_room() {
  keep_first();
  return !is_full() && words_.size() <= room_ / 2 ? Status() : spill();
}

Status WordSorter::spill() {
  KS_TRY_VALUE(run, write_run(words_, *space_));
  runs_.push_back(std::move(run));
  words_.clear();
  copies_ = Arena();
  return {};
}

void WordSorter::keep_first() {
  if (words_.size() <= top_) {
    return;
  }
  const auto end = words_.begin() + static_cast<std::ptrdiff_t>(top_);
  std::nth_element(words_.begin(), end, words_.end());
  words_.erase(end, words_.end());
  if (!options_.are_kept) {
    Arena copies;
    for (PlacedWord& word : words_) {
      word.word.word = {copies.copy(word.word.word), word.word.word.size()};
    }
    copies_ = std::move(copies);
  }
}

Result<WordSorter> sort_words(const CountedWords& words, Order order,
                              std::optional<std::size_t> top, std::size_t memory_bytes,
                              ScratchSpace& space) {
  WordSorter sorter({order, top, words.size(), words.are_kept(), memory_bytes}, space);
  KS_TRY(words.for_each([&](std::span<const WordCount> some) { return sorter.add(some); }));
  KS_TRY(sorter.finish());
  return sorter;
}

Result<Run> write_run(std::span<PlacedWord> words, ScratchSpace& space) {
  std::sort(words.begin(), words.end());
  KS_TRY_VALUE(run, Run::create(space));
  RunWriter writer(std::move(run));
  for (const PlacedWord& word : words) {
    KS_TRY(writer.add(word.word));
  }
  return std::move(writer).finish();
}

}  // namespace kstream

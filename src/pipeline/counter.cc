#include "pipeline/counter.h"

#include <string_view>

namespace kstream {

Counter::Counter(const CountOptions& options, std::uint64_t hash_seed)
    : options_(options), decoder_(options.decoding), table_(hash_seed) {}

void Counter::count(const RecordBlock& block) {
  RecordBlock::Reader reader(block);
  while (const RecordView* record = reader.next()) {
    ++totals_.records;
    if (!record->value) {
      ++totals_.nulls;
      continue;
    }
    const DecodedText text = decoder_.decode(*record->value);
    totals_.invalid += text.is_repaired ? 1 : 0;
    for_each_word(options_.split, text.text, [this](std::string_view word) {
      ++totals_.words;
      table_.add(word);
    });
  }
}

void Counter::merge_from(const Counter& other) {
  table_.merge_from(other.table_);
  totals_ += other.totals_;
}

void Counter::clear() {
  table_.clear();
  totals_ = {};
}

std::vector<WordCount> Counter::counts() const {
  std::vector<WordCount> counts;
  counts.reserve(table_.size());
  const auto keep = [&](std::string_view word, std::uint64_t count) {
    counts.push_back({word, count});
  };
  table_.for_each(keep);
  return counts;
}

}  // namespace kstream

#include "pipeline/counter.h"

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
    if (!text.is_repaired) {
      collect(text.text);
      continue;
    }
    ++totals_.invalid;
    add_collected();
    collect(text.text);
    add_collected();  // the text ends with the decoder's next call
  }
  add_collected();
}

void Counter::collect(std::string_view text) {
  readable_end_ = text.data() + text.size();
  for_each_word(options_.split, text, [this](std::string_view word) {
    words_[collected_++] = word;
    if (collected_ == words_.size()) {
      add_collected();
    }
  });
}

void Counter::add_collected() {
  table_.add_each({words_.data(), collected_}, readable_end_);
  totals_.words += collected_;
  collected_ = 0;
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

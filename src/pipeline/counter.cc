#include "pipeline/counter.h"

#include <algorithm>
#include <limits>

namespace kstream {
namespace {

static_assert(RecordBlock::kReadableBeyond >= kReadableBeyond);

// So much text always has room for its words in an empty list.
constexpr std::size_t kTextBytesAtOnce = kWordsAtOnce / 2;

}  // namespace

Counter::Counter(const CountOptions& options, std::uint64_t hash_seed)
    : options_(options), decoder_(options.decoding), table_(hash_seed) {}

void Counter::count(const RecordBlock& block) {
  const char* const memory = block.content().data();
  RecordBlock::Reader reader(block);
  while (const RecordView* record = reader.next()) {
    ++totals_.records;
    if (!record->value) {
      ++totals_.nulls;
      continue;
    }
    if (collect_at_once(memory, *record->value)) {
      continue;
    }
    const DecodedText text = decoder_.decode(*record->value);
    if (!text.is_repaired) {
      collect(memory, text.text);
      continue;
    }
    ++totals_.invalid;
    add_collected(memory);
    collect(text.text.data(), text.text);
    add_collected(text.text.data());  // the text ends with the decoder's next call
  }
  add_collected(memory);
}

// Of a small value the words are found before it is known to be text: that shows it to be ASCII by
// the way, which saves a call for each record. False, and nothing is collected, when it has to be
// decoded first.
inline bool Counter::collect_at_once(const char* memory, std::string_view value) {
  if (options_.split != Split::kSpace || value.size() > kTextBytesAtOnce) {
    return false;
  }
  if (words_.size + value.size() >= kWordsAtOnce) {
    add_collected(memory);
  }
  const std::size_t before = words_.size;
  if (collect_spaced(memory, value) || decoder_.is_text(value)) {
    return true;
  }
  words_.size = before;
  return false;
}

void Counter::collect(const char* memory, std::string_view text) {
  switch (options_.split) {
    case Split::kJava:
      if (const auto part = java_part(text)) {
        collect_spaced(memory, *part);
      }
      return;
    case Split::kSpace:
      collect_spaced(memory, text);
      return;
    case Split::kWhitespace:
    case Split::kWords:
      for_each_word(options_.split, text,
                    [&](std::string_view word) { collect_word(memory, word); });
      return;
  }
}

// True for ASCII only.
inline bool Counter::collect_spaced(const char* memory, std::string_view text) {
  KS_CHECK(text.data() + text.size() - memory <= std::numeric_limits<std::uint32_t>::max());
  auto from = static_cast<std::uint32_t>(text.data() - memory);
  const auto until = static_cast<std::uint32_t>(from + text.size());
  std::uint32_t begin = from;
  bool is_ascii = true;
  do {
    const std::uint32_t next = std::min<std::uint32_t>(until - from, kTextBytesAtOnce);
    if (words_.size + next >= kWordsAtOnce) {
      add_collected(memory);
    }
    words_.begins[words_.size] = begin;
    is_ascii &= options_.kernel->find_words(memory, from, from + next, words_);
    begin = words_.begins[words_.size];
    from += next;
  } while (from < until);
  words_.ends[words_.size++] = until;
  return is_ascii;
}

void Counter::collect_word(const char* memory, std::string_view word) {
  if (words_.size == kWordsAtOnce) {
    add_collected(memory);
  }
  const auto begin = static_cast<std::uint32_t>(word.data() - memory);
  words_.begins[words_.size] = begin;
  words_.ends[words_.size++] = static_cast<std::uint32_t>(begin + word.size());
}

void Counter::add_collected(const char* memory) {
  table_.add_each(*options_.kernel, memory, words_);
  totals_.words += words_.size;
  words_.size = 0;
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

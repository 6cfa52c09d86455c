#include "pipeline/counter.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "spill/word_sorter.h"

namespace kstream {
namespace {

static_assert(RecordBlock::kReadableBeyond >= kReadableBeyond);

// So much text always has room for its words in an empty list.
constexpr std::size_t kTextBytesAtOnce = kWordsAtOnce / 2;
// Texts that are not in a block wait for each other up to this size.
constexpr std::size_t kCopiedBytesAtOnce = 64 * 1024;
// A single record of 16 MiB must not hold a multiple of that for the rest of the process.
constexpr std::size_t kBytesKept = 1024 * 1024;

void forget(std::string& text) {
  text.clear();
  if (text.capacity() > kBytesKept) {
    std::string().swap(text);
  }
}

Error invalid_record(const TopicPartition& partition, const RecordView& record,
                     const Decoded& decoded) {
  return Error{
      ExitCode::kData,
      fmt::format("{}: the record at offset {}: its value of {} bytes {}{}. The batch was not "
                  "written to any output. Count what can be had of such records with --on-invalid "
                  "replace, or leave them out with --on-invalid skip.",
                  to_string(partition), record.offset, record.value ? record.value->size() : 0,
                  decoded.problem,
                  decoded.problem_at ? fmt::format(" at byte {}", *decoded.problem_at) : "")};
}

// Of a table with so many more words, and of the list that sorts them.
std::uint64_t bytes_to_hold(const WordTable& table, std::size_t words) {
  return table.bytes_to_add(words) + (table.size() + words) * sizeof(PlacedWord);
}

}  // namespace

Counter::Counter(const CountOptions& options, std::uint64_t hash_seed)
    : options_(options), hash_seed_(hash_seed), decoder_(options.decode), table_(hash_seed) {}

void Counter::count(const RecordBlock& block) {
  if (!status_.ok()) {
    return;
  }
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
    if (Status collected = collect_decoded(memory, block.partition(), *record); !collected.ok()) {
      status_ = std::move(collected);
      return;
    }
  }
  add_all(memory);
}

// Of a small value the words are found before it is known to be text: that shows it to be ASCII by
// the way, which saves a call for each record. False, and nothing is collected, when it has to be
// decoded first.
inline bool Counter::collect_at_once(const char* memory, std::string_view value) {
  if (options_.split != Split::kSpace || !decoder_.is_ascii_text() ||
      value.size() > kTextBytesAtOnce) {
    return false;
  }
  go_to(Place::kBlock, memory);
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

Status Counter::collect_decoded(const char* memory, const TopicPartition& partition,
                                const RecordView& record) {
  const Decoded decoded = decoder_.decode(*record.value);
  if (!decoded.problem.empty()) {
    ++totals_.invalid;
    switch (options_.on_invalid) {
      case OnInvalid::kReplace:
        break;
      case OnInvalid::kSkip:
        return {};
      case OnInvalid::kFail:
        return invalid_record(partition, record, decoded);
    }
  }
  if (decoded.is_list) {
    for (const std::string_view word : decoded.words) {
      collect_word_copy(memory, word);
    }
  } else if (decoded.text.data() == record.value->data()) {
    go_to(Place::kBlock, memory);
    collect(memory, decoded.text);
  } else {
    collect_copy(memory, decoded.text);
  }
  return {};
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

void Counter::collect_copy(const char* block_memory, std::string_view text) {
  go_to(Place::kCopies, block_memory);
  if (copies_.size() > kCopiedBytesAtOnce) {
    add_copies();
  }
  const std::size_t begin = copies_.size();
  // So that the words can be added while the text is walked.
  copies_.append(text).append(kReadableBeyond, '\0');
  collect(copies_.data(), std::string_view(copies_).substr(begin, text.size()));
}

void Counter::collect_word_copy(const char* block_memory, std::string_view word) {
  go_to(Place::kCopies, block_memory);
  if (words_.size == kWordsAtOnce || copies_.size() > kCopiedBytesAtOnce) {
    add_copies();
  }
  const std::size_t begin = copies_.size();
  copies_.append(word);
  collect_word(copies_.data(), std::string_view(copies_).substr(begin));
}

// All that is collected lies in one memory.
inline void Counter::go_to(Place place, const char* block_memory) {
  if (place != place_) [[unlikely]] {
    add_all(block_memory);
    place_ = place;
  }
}

void Counter::add_all(const char* block_memory) {
  if (place_ == Place::kCopies) {
    add_copies();
  } else {
    add_collected(block_memory);
  }
}

void Counter::add_copies() {
  copies_.append(kReadableBeyond, '\0');
  add_collected(copies_.data());
  forget(copies_);
}

void Counter::add_collected(const char* memory) {
  if (options_.filter.is_on()) {
    memory = options_.filter.keep_wanted(memory, words_, filtered_);
  }
  if (bytes_to_hold(table_, words_.size) > options_.memory_bytes && status_.ok()) [[unlikely]] {
    status_ = spill();
  }
  table_.add_each(*options_.kernel, memory, words_);
  totals_.words += words_.size;
  words_.size = 0;
  if (options_.filter.is_on()) {
    forget(filtered_);
  }
}

Status Counter::spill() {
  std::vector<PlacedWord> words;
  words.reserve(table_.size());
  table_.for_each([&](std::string_view word, std::uint64_t count) {
    words.push_back(placed({word, count}, Order::kWord));
  });
  KS_CHECK(options_.space != nullptr);
  KS_TRY_VALUE(run, write_run(words, *options_.space));
  runs_.push_back(std::move(run));
  table_.clear();
  return {};
}

Result<std::vector<Run>> Counter::take_runs() {
  if (!table_.is_empty()) {
    KS_TRY(spill());
  }
  table_ = WordTable(hash_seed_);
  return std::exchange(runs_, {});
}

bool Counter::can_merge(const Counter& other, std::uint64_t memory_bytes) const {
  return bytes_to_hold(table_, other.table_.size()) + other.table_.bytes() <= memory_bytes;
}

void Counter::merge_from(const Counter& other) {
  table_.merge_from(other.table_);
}

void Counter::clear() {
  table_.clear();
  totals_ = {};
  runs_.clear();
  status_ = {};
  words_.size = 0;
  copies_.clear();
}

}  // namespace kstream

#include "pipeline/counter.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/check.h"

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

std::string problem_of(const TopicPartition& partition, const RecordView& record,
                       const Decoded& decoded) {
  return fmt::format("{}: the record at offset {}: its value of {} bytes {}{}",
                     to_string(partition), record.offset, record.value ? record.value->size() : 0,
                     decoded.problem,
                     decoded.problem_at ? fmt::format(" at byte {}", *decoded.problem_at) : "");
}

Error invalid_record(std::string_view problem) {
  return Error{
      ExitCode::kData,
      fmt::format("{}. The batch was not written to any output. Count what can be had of such "
                  "records with --on-invalid replace, or leave them out with --on-invalid skip.",
                  problem)};
}

}  // namespace

Counter::Counter(const CountOptions& options, std::uint64_t hash_seed,
                 std::unique_ptr<Handler> handler)
    : options_(options),
      decoder_(options.decode),
      returned_(
          {options.decode.decoding == Decoding::kBytes ? Decoding::kBytes : Decoding::kUtf8, {}}),
      handler_(std::move(handler)),
      tally_(hash_seed, options.memory_bytes, options.space) {}

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
    }
    if (handler_ == nullptr && (!record->value || collect_at_once(memory, *record->value))) {
      continue;
    }
    if (Status collected = handler_ != nullptr
                               ? collect_handled(memory, block.partition(), *record)
                               : collect_decoded(memory, block.partition(), *record);
        !collected.ok()) {
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
  if (!decoder_.is_ascii_text() || value.size() > kTextBytesAtOnce) {
    return false;
  }
  go_to(Place::kBlock, memory);
  if (words_.size + value.size() >= kWordsAtOnce) {
    add_collected(memory);
  }
  const std::size_t before = words_.size;
  if (collect(memory, value) || decoder_.is_text(value)) {
    return true;
  }
  words_.size = before;
  return false;
}

Status Counter::collect_decoded(const char* memory, const TopicPartition& partition,
                                const RecordView& record) {
  const Decoded decoded = decoder_.decode(*record.value);
  if (!decoded.problem.empty()) {
    KS_TRY_VALUE(counts, may_count(partition, record, decoded));
    if (!counts) {
      return {};
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

Status Counter::collect_handled(const char* memory, const TopicPartition& partition,
                                const RecordView& record) {
  const std::uint64_t invalid = totals_.invalid;
  Status collected = decode_and_handle(memory, partition, record);
  totals_.invalid = std::min(totals_.invalid, invalid + 1);  // once, whatever is wrong with it
  return collected;
}

Status Counter::decode_and_handle(const char* memory, const TopicPartition& partition,
                                  const RecordView& record) {
  std::optional<Decoded> decoded;
  if (record.value) {
    decoded =
        handler_->has_decode() ? handler_->decode(*record.value) : decoder_.decode(*record.value);
    if (!decoded->problem.empty()) {
      KS_TRY_VALUE(counts, may_count(partition, record, *decoded));
      if (!counts || decoded->is_list) {  // nothing can be had of it
        return {};
      }
    }
  }
  if (handler_->has_handle()) {
    decoded = handler_->handle(partition, record, decoded ? &*decoded : nullptr);
    if (!decoded) {
      ++totals_.dropped;
      return {};
    }
    if (!decoded->problem.empty()) {
      KS_TRY(may_count(partition, record, *decoded));
      return {};
    }
  }
  return decoded ? collect_returned(memory, partition, record, *decoded) : Status();
}

Status Counter::collect_returned(const char* memory, const TopicPartition& partition,
                                 const RecordView& record, const Decoded& returned) {
  const auto is_text = [this](std::string_view part) { return returned_.is_text(part); };
  const bool is_valid = returned.is_list
                            ? std::all_of(returned.words.begin(), returned.words.end(), is_text)
                            : is_text(returned.text);
  if (!is_valid) {
    Decoded decoded;
    decoded.problem = "made the handler return what is not valid UTF-8";
    KS_TRY_VALUE(counts, may_count(partition, record, decoded));
    if (!counts) {
      return {};
    }
  }
  const auto text_of = [&](std::string_view part) {
    return is_valid ? part : returned_.decode(part).text;
  };
  if (!returned.is_list) {
    collect_copy(memory, text_of(returned.text));
    return {};
  }
  for (const std::string_view word : returned.words) {
    collect_word_copy(memory, text_of(word));
  }
  return {};
}

// What the options say of a record with a problem.
Result<bool> Counter::may_count(const TopicPartition& partition, const RecordView& record,
                                const Decoded& decoded) {
  ++totals_.invalid;
  if (first_problem_.empty()) {
    first_problem_ = problem_of(partition, record, decoded);
  }
  switch (options_.on_invalid) {
    case OnInvalid::kReplace:
      return true;
    case OnInvalid::kSkip:
      return false;
    case OnInvalid::kFail:
      return invalid_record(problem_of(partition, record, decoded));
  }
  return false;
}

// True for ASCII only.
inline bool Counter::collect(const char* memory, std::string_view text) {
  switch (options_.split) {
    case Split::kJava: {
      const auto part = java_part(text);
      return !part || collect_spaced(memory, *part);
    }
    case Split::kSpace:
      return collect_spaced(memory, text);
    case Split::kWhitespace:
      return collect_runs(memory, text, Separators::kWhitespace);
    case Split::kWords:
      return collect_runs(memory, text, Separators::kNoLetterOrDigit);
  }
  return false;
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

// True for ASCII only, if the text is a small one.
inline bool Counter::collect_runs(const char* memory, std::string_view text,
                                  Separators separators) {
  while (text.size() > kTextBytesAtOnce) {
    const std::size_t space = text.substr(0, kTextBytesAtOnce).rfind(' ');
    if (space == text.npos) {
      const std::string_view word = take_word(options_.split, text);
      if (!word.empty()) {
        collect_word(memory, word);
      }
      continue;
    }
    collect_runs_at_once(memory, text.substr(0, space), separators);
    text.remove_prefix(space + 1);
  }
  return collect_runs_at_once(memory, text, separators);
}

// A kernel finds what separators of ASCII leave: words, or, beyond ASCII, what may be several.
inline bool Counter::collect_runs_at_once(const char* memory, std::string_view text,
                                          Separators separators) {
  KS_CHECK(text.data() + text.size() - memory <= std::numeric_limits<std::uint32_t>::max());
  if (words_.size + text.size() >= kWordsAtOnce) {
    add_collected(memory);
  }
  const auto from = static_cast<std::uint32_t>(text.data() - memory);
  const auto until = static_cast<std::uint32_t>(from + text.size());
  const std::size_t before = words_.size;
  if (options_.kernel->find_runs(separators, memory, from, until, words_)) {
    return true;
  }
  ascii_runs_.size = words_.size - before;
  std::copy_n(&words_.begins[before], ascii_runs_.size, ascii_runs_.begins.data());
  std::copy_n(&words_.ends[before], ascii_runs_.size, ascii_runs_.ends.data());
  words_.size = before;
  for (std::size_t i = 0; i < ascii_runs_.size; ++i) {
    for_each_word(options_.split,
                  {memory + ascii_runs_.begins[i], ascii_runs_.ends[i] - ascii_runs_.begins[i]},
                  [&](std::string_view word) { collect_word(memory, word); });
  }
  return false;
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
  if (status_.ok()) {
    status_ = tally_.add_each(*options_.kernel, memory, words_);
  }
  totals_.words += words_.size;
  words_.size = 0;
  if (options_.filter.is_on()) {
    forget(filtered_);
  }
}

void Counter::clear() {
  tally_.clear();
  totals_ = {};
  status_ = {};
  first_problem_.clear();
  words_.size = 0;
  copies_.clear();
}

}  // namespace kstream

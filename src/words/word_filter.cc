#include "words/word_filter.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/check.h"
#include "words/case_fold.h"

namespace kstream {
namespace {

constexpr std::size_t kCharacterBytesMax = 4;

bool has_characters(std::string_view word, std::size_t wanted) {
  if (word.size() < wanted || word.size() / kCharacterBytesMax >= wanted) {
    return word.size() >= wanted;
  }
  while (wanted > 0 && !word.empty()) {
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t bytes =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(word.data()),
                         static_cast<utf8proc_ssize_t>(word.size()), &code_point);
    word.remove_prefix(static_cast<std::size_t>(std::max<utf8proc_ssize_t>(bytes, 1)));
    --wanted;
  }
  return wanted == 0;
}

}  // namespace

WordFilter::WordFilter(bool folds, std::size_t characters_min,
                       std::span<const std::string> stop_words)
    : folds_(folds), characters_min_(characters_min) {
  for (const std::string& word : stop_words) {
    std::string counted;
    if (folds) {
      append_folded(word, counted);
    } else {
      counted = word;
    }
    stop_words_.insert(std::move(counted));
  }
}

const char* WordFilter::keep_wanted(const char* memory, WordList& words, std::string& room) const {
  room.clear();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < words.size; ++i) {
    std::size_t begin = words.begins[i];
    std::size_t end = words.ends[i];
    std::string_view word(memory + begin, end - begin);
    if (folds_) {
      begin = room.size();
      append_folded(word, room);
      end = room.size();
      word = std::string_view(room).substr(begin);
    }
    if (!is_wanted(word)) {
      room.resize(folds_ ? begin : 0);
      continue;
    }
    KS_CHECK(end <= std::numeric_limits<std::uint32_t>::max());
    words.begins[kept] = static_cast<std::uint32_t>(begin);
    words.ends[kept++] = static_cast<std::uint32_t>(end);
  }
  words.size = kept;
  if (!folds_) {
    return memory;
  }
  room.append(kReadableBeyond, '\0');
  return room.data();
}

bool WordFilter::is_wanted(std::string_view word) const {
  return has_characters(word, characters_min_) &&
         (stop_words_.empty() || !stop_words_.contains(word));
}

}  // namespace kstream

#include "words/word_table.h"

#define XXH_INLINE_ALL  // a call would cost as much as the hash of a short word
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace kstream {
namespace {

static_assert(std::endian::native == std::endian::little, "short words are stored as integers");

HashSeeds seeds_of(std::uint64_t seed) {
  const auto drawn = [seed](std::uint64_t i) { return XXH3_64bits_withSeed(&i, sizeof(i), seed); };
  return {drawn(0), {drawn(1) | 1, drawn(2) | 1}};
}

}  // namespace

WordTable::WordTable(std::uint64_t seed)
    : seeds_(seeds_of(seed)), short_(seeds_), middle_(seeds_) {}

void WordTable::add(std::string_view word, std::uint64_t count) {
  if (count == 0) [[unlikely]] {
    return;
  }
  std::uint64_t key[2] = {};
  if (word.empty() || word.back() == '\0' || word.size() > sizeof(key)) {
    add_other(word, hash_of_other(word), count);
    return;
  }
  std::memcpy(key, word.data(), word.size());
  if (word.size() <= sizeof(ShortKey)) {
    short_.add(key[0], count);
  } else {
    middle_.add({key[0], key[1]}, count);
  }
}

void WordTable::add_each(const Kernel& kernel, const char* memory, const WordList& words) {
  PackedWords packed;
  packed.short_words.buckets = short_.buckets().size();
  packed.middle_words.buckets = middle_.buckets().size();
  kernel.pack(memory, words, seeds_, packed);
  kernel.count_short(short_.buckets(), packed.short_words);
  short_.add_unknown(packed.short_words);
  kernel.count_middle(middle_.buckets(), packed.middle_words);
  middle_.add_unknown(packed.middle_words);
  add_others(memory, words, packed);
  add({}, packed.empty_words);
}

void WordTable::add_others(const char* memory, const WordList& words, const PackedWords& packed) {
  std::array<std::uint32_t, kOthersAhead> hashes;
  for (std::size_t done = 0; done < packed.others_size;) {
    const std::size_t next = std::min(packed.others_size - done, hashes.size());
    const auto word = [&](std::size_t i) -> std::string_view {
      const std::uint32_t index = packed.others[done + i];
      return {memory + words.begins[index], words.ends[index] - words.begins[index]};
    };
    for (std::size_t i = 0; i < next; ++i) {
      hashes[i] = hash_of_other(word(i));
      __builtin_prefetch(&others_[others_.home_of(hashes[i])], 1);
    }
    for (std::size_t i = 0; i < next; ++i) {
      add_other(word(i), hashes[i], 1);
    }
    done += next;
  }
}

void WordTable::merge_from(const WordTable& other) {
  KS_CHECK(seeds_ == other.seeds_ && this != &other);
  short_.merge_from(other.short_);
  middle_.merge_from(other.middle_);
  other.others_.for_each_place(
      [this](const Slot& slot, std::size_t) { add_other(slot.word(), slot.hash, slot.count); });
}

void WordTable::add_other(std::string_view word, std::uint32_t hash, std::uint64_t count) {
  KS_CHECK(word.size() <= std::numeric_limits<std::uint32_t>::max());
  for (std::size_t i = others_.home_of(hash);; i = others_.next(i)) {
    Slot& slot = others_[i];
    if (slot.count == 0) {
      slot = {count, hash, static_cast<std::uint32_t>(word.size()), arena_.copy(word)};
      break;
    }
    if (slot.hash == hash && slot.word() == word) {
      slot.count += count;
      return;
    }
  }
  ++others_size_;
  if (others_.is_too_full(others_size_)) [[unlikely]] {
    grow_others();
  }
}

void WordTable::grow_others() {
  others_.grow([this](const Slot& old) {
    if (old.count != 0) {
      std::size_t i = others_.home_of(old.hash);
      while (others_[i].count != 0) {
        i = others_.next(i);
      }
      others_[i] = old;
    }
  });
}

inline std::uint32_t WordTable::hash_of_other(std::string_view word) const {
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(word.data(), word.size(), seeds_.added));
}

void WordTable::clear() {
  short_.clear();
  middle_.clear();
  others_.clear(others_size_);
  others_size_ = 0;
  arena_.clear();
}

}  // namespace kstream

#include "words/word_table.h"

#define XXH_INLINE_ALL  // a call would cost as much as the hash of a short word
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"

namespace kstream {
namespace {

static_assert(std::endian::native == std::endian::little, "short words are stored as integers");

__extension__ typedef unsigned __int128 Product;

template <class Integer>
std::uint64_t load(const char* at) {
  Integer value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

}  // namespace

WordTable::WordTable(std::uint64_t seed)
    : seed_(seed),
      second_seed_(XXH3_64bits_withSeed(nullptr, 0, seed)),
      mask_(kSlotsMin - 1),
      slots_(kSlotsMin) {}

void WordTable::add(std::string_view word, std::uint64_t count) {
  if (count == 0) [[unlikely]] {
    return;
  }
  if (word.size() > kInlineBytes) {
    add_long(word, hash_of(word), count);
    return;
  }
  const Key key = short_key(word);
  add_short({count, hash_of(key, word.size()), static_cast<std::uint32_t>(word.size()), key});
}

void WordTable::add_each(std::span<const std::string_view> words, const char* readable_end) {
  std::array<Slot, kWordsAhead> ahead;
  while (!words.empty()) {
    const auto next = words.first(std::min(words.size(), ahead.size()));
    std::size_t short_words = 0;
    for (const std::string_view word : next) {
      if (word.size() > kInlineBytes) [[unlikely]] {
        add_long(word, hash_of(word), 1);
        continue;
      }
      const Key key = short_key(word, readable_end);
      const std::uint32_t hash = hash_of(key, word.size());
      ahead[short_words++] = {1, hash, static_cast<std::uint32_t>(word.size()), key};
      __builtin_prefetch(&slots_[hash & mask_], 1);
    }
    for (std::size_t i = 0; i < short_words; ++i) {
      add_short(ahead[i]);
    }
    words = words.subspan(next.size());
  }
}

void WordTable::merge_from(const WordTable& other) {
  KS_CHECK(seed_ == other.seed_ && this != &other);
  other.for_each_slot([&](const Slot& slot) {
    if (slot.is_inline()) {
      add_short(slot);
    } else {
      add_long(slot.word(), slot.hash, slot.count);
    }
  });
}

inline void WordTable::add_short(const Slot& word) {
  for (std::size_t i = word.hash & mask_;; i = (i + 1) & mask_) {
    Slot& slot = slots_[i];
    if (slot.count == 0) {
      fill(slot, word);
      return;
    }
    if (slot.length == word.length && slot.key == word.key) {
      slot.count += word.count;
      return;
    }
  }
}

void WordTable::add_long(std::string_view word, std::uint32_t hash, std::uint64_t count) {
  KS_CHECK(word.size() <= std::numeric_limits<std::uint32_t>::max());
  const auto length = static_cast<std::uint32_t>(word.size());
  for (std::size_t i = hash & mask_;; i = (i + 1) & mask_) {
    Slot& slot = slots_[i];
    if (slot.count == 0) {
      const auto address = reinterpret_cast<std::uintptr_t>(arena_.copy(word));
      fill(slot, {count, hash, length, {{address, load<std::uint64_t>(word.data())}}});
      return;
    }
    if (slot.hash == hash && slot.length == length && slot.word() == word) {
      slot.count += count;
      return;
    }
  }
}

// Two loads that overlap instead of a copy byte by byte.
inline WordTable::Key WordTable::short_key(std::string_view word) {
  const char* const at = word.data();
  const std::size_t length = word.size();
  if (length > 8) {
    return {{load<std::uint64_t>(at), load<std::uint64_t>(at + length - 8) >> (8 * (16 - length))}};
  }
  if (length >= 4) {
    return {
        {load<std::uint32_t>(at) | load<std::uint32_t>(at + length - 4) << (8 * (length - 4)), 0}};
  }
  if (length > 0) {
    return {{load<std::uint8_t>(at) | load<std::uint8_t>(at + length / 2) << (8 * (length / 2)) |
                 load<std::uint8_t>(at + length - 1) << (8 * (length - 1)),
             0}};
  }
  return {{0, 0}};
}

// The same by one load and a mask: no branch on a length that nobody can predict.
inline WordTable::Key WordTable::short_key(std::string_view word, const char* readable_end) {
  if (readable_end - word.data() < static_cast<std::ptrdiff_t>(kInlineBytes)) [[unlikely]] {
    return short_key(word);
  }
  constexpr std::uint64_t kKept = ~std::uint64_t{0};
  static constexpr std::uint64_t kMasks[] = {kKept, kKept, 0, 0};
  const char* const mask = reinterpret_cast<const char*>(kMasks) + kInlineBytes - word.size();
  const char* const at = word.data();
  return {{load<std::uint64_t>(at) & load<std::uint64_t>(mask),
           load<std::uint64_t>(at + 8) & load<std::uint64_t>(mask + 8)}};
}

// Both halves of a product of which neither factor can be known: what wyhash and XXH3 do with up to
// 16 bytes. Without the length "a" and "a\0" would collide.
inline std::uint32_t WordTable::hash_of(const Key& key, std::size_t length) const {
  const Product product = Product{key.words[0] ^ seed_} * (key.words[1] ^ second_seed_ ^ length);
  return static_cast<std::uint32_t>(product) ^ static_cast<std::uint32_t>(product >> 64);
}

inline std::uint32_t WordTable::hash_of(std::string_view long_word) const {
  return static_cast<std::uint32_t>(
      XXH3_64bits_withSeed(long_word.data(), long_word.size(), seed_));
}

inline void WordTable::fill(Slot& slot, const Slot& content) {
  slot = content;
  ++size_;
  if (size_ > slots_.size() / 8 * 5) [[unlikely]] {
    grow();
  }
}

void WordTable::grow() {
  KS_CHECK(slots_.size() <= std::numeric_limits<std::uint32_t>::max());  // a hash has 32 bits
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.count != 0) {
      std::size_t i = slot.hash & mask_;
      while (slots_[i].count != 0) {
        i = (i + 1) & mask_;
      }
      slots_[i] = slot;
    }
  }
}

void WordTable::clear() {
  if (slots_.size() > kSlotsMin && size_ < slots_.size() / 16) {
    const std::size_t slots = std::max(slots_.size() / 4, kSlotsMin);
    std::vector<Slot>().swap(slots_);
    slots_.resize(slots);
    mask_ = slots - 1;
  } else if (size_ > 0) {
    std::memset(static_cast<void*>(slots_.data()), 0, slots_.size() * sizeof(Slot));
  }
  size_ = 0;
  arena_.clear();
}

}  // namespace kstream

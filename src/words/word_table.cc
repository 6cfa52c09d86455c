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

HashSeeds seeds_of(std::uint64_t seed) {
  const auto drawn = [seed](std::uint64_t i) { return XXH3_64bits_withSeed(&i, sizeof(i), seed); };
  return {drawn(0), {drawn(1) | 1, drawn(2) | 1}};
}

template <class Integer>
std::uint64_t load(const char* at) {
  Integer value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

}  // namespace

WordTable::WordTable(std::uint64_t seed)
    : seeds_(seeds_of(seed)), short_(seeds_), mask_(kSlotsMin - 1), slots_(kSlotsMin) {}

void WordTable::add(std::string_view word, std::uint64_t count) {
  if (count == 0) [[unlikely]] {
    return;
  }
  if (word.size() > kInlineBytes) {
    add_long(word, hash_of_long(word), count);
    return;
  }
  const Key key = inline_key(word);
  if (is_short(word)) {
    short_.add(key.words[0], count);
    return;
  }
  add_inline({count, hash_of_key(key, word.size()), static_cast<std::uint32_t>(word.size()), key});
}

void WordTable::add_each(const Kernel& kernel, const char* memory, const WordList& words) {
  PackedWords packed;
  kernel.pack(memory, words, seeds_, packed);
  short_.add_each(kernel, packed);
  add_others(memory, words, packed);
}

void WordTable::add_others(const char* memory, const WordList& words, const PackedWords& packed) {
  std::array<Slot, kOthersAhead> ahead;
  for (std::size_t done = 0; done < packed.others_size;) {
    const std::size_t next = std::min(packed.others_size - done, ahead.size());
    std::size_t inline_words = 0;
    for (std::size_t i = 0; i < next; ++i) {
      const std::uint32_t index = packed.others[done + i];
      const char* const word = memory + words.begins[index];
      const std::uint32_t length = words.ends[index] - words.begins[index];
      if (length > kInlineBytes) [[unlikely]] {
        add_long({word, length}, hash_of_long({word, length}), 1);
        continue;
      }
      const Key key = inline_key(word, length);
      const std::uint32_t hash = hash_of_key(key, length);
      ahead[inline_words++] = {1, hash, length, key};
      __builtin_prefetch(&slots_[hash & mask_], 1);
    }
    for (std::size_t i = 0; i < inline_words; ++i) {
      add_inline(ahead[i]);
    }
    done += next;
  }
}

void WordTable::merge_from(const WordTable& other) {
  KS_CHECK(seeds_ == other.seeds_ && this != &other);
  short_.merge_from(other.short_);
  other.for_each_slot([&](const Slot& slot) {
    if (slot.is_inline()) {
      add_inline(slot);
    } else {
      add_long(slot.word(), slot.hash, slot.count);
    }
  });
}

inline void WordTable::add_inline(const Slot& word) {
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

inline WordTable::Key WordTable::inline_key(std::string_view word) {
  Key key{};
  if (!word.empty()) {
    std::memcpy(key.words, word.data(), word.size());
  }
  return key;
}

// The same by one load and a mask: no branch on a length that nobody can predict.
inline WordTable::Key WordTable::inline_key(const char* word, std::size_t length) {
  constexpr std::uint64_t kKept = ~std::uint64_t{0};
  static constexpr std::uint64_t kMasks[] = {kKept, kKept, 0, 0};
  const char* const mask = reinterpret_cast<const char*>(kMasks) + kInlineBytes - length;
  return {{load<std::uint64_t>(word) & load<std::uint64_t>(mask),
           load<std::uint64_t>(word + 8) & load<std::uint64_t>(mask + 8)}};
}

// Both halves of a product of which neither factor can be known: what wyhash and XXH3 do with up to
// 16 bytes. Without the length "a" and "a\0" would collide.
inline std::uint32_t WordTable::hash_of_key(const Key& key, std::size_t length) const {
  const Product product =
      Product{key.words[0] ^ seeds_.added} * (key.words[1] ^ seeds_.factors[0] ^ length);
  return static_cast<std::uint32_t>(product) ^ static_cast<std::uint32_t>(product >> 64);
}

inline std::uint32_t WordTable::hash_of_long(std::string_view word) const {
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(word.data(), word.size(), seeds_.added));
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

std::size_t WordTable::bytes_to_add(std::size_t words) const {
  std::size_t slots = slots_.size();
  while (size_ + words > slots / 8 * 5) {
    slots *= 2;
  }
  const std::size_t old = slots == slots_.size() ? 0 : slots_.size();
  return short_.bytes_to_add(words) + (slots + old) * sizeof(Slot) + arena_.bytes();
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
  short_.clear();
  arena_.clear();
}

}  // namespace kstream

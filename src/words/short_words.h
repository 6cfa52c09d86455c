// How often each short word was seen: the part of a word table to which most words go.
//
// Contract: a word is its key, see PackedWords.
// Thread: one at a time.
// Limits: counts wrap at 2^64. A word has 16 bytes of a bucket, and at most 5 of 8 places are in
// use. Source: docs/decisions/0005-counting-kernel.md.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "words/kernel.h"

namespace kstream {

class ShortWords {
 public:
  explicit ShortWords(const HashSeeds& seeds) : seeds_(seeds), buckets_(kBucketsMin) {}

  void add(std::uint64_t key, std::uint64_t count);
  // Each of the packed short words was seen once more.
  void add_each(const Kernel& kernel, PackedWords& packed);
  void merge_from(const ShortWords& other);
  // As WordTable::clear().
  void clear();

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return buckets_.size() * sizeof(WordBucket); }
  // As WordTable::bytes_to_add().
  std::size_t bytes_to_add(std::size_t words) const;

  // Calls visit(std::string_view word, std::uint64_t count) once for each word.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for_each_key([&](const std::uint64_t& key, std::uint64_t count) {
      const std::size_t length = sizeof(key) - static_cast<std::size_t>(std::countl_zero(key)) / 8;
      visit(std::string_view(reinterpret_cast<const char*>(&key), length), count);
    });
  }

 private:
  static constexpr std::size_t kBucketsMin = 256;

  // In a scattered order of pages, for the reason that WordTable::for_each_slot() has.
  template <class Visit>
  void for_each_key(Visit&& visit) const {
    constexpr std::size_t kPage = 64;  // buckets
    constexpr std::size_t kStride = 0x9E3779B1;
    const std::size_t pages = buckets_.size() / kPage;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      const std::size_t page = i / kPage * kStride & (pages - 1);
      const WordBucket& bucket = buckets_[page * kPage + i % kPage];
      for (std::size_t place = 0; place < 4 && bucket.keys[place] != 0; ++place) {
        visit(bucket.keys[place], bucket.counts[place]);
      }
    }
  }

  bool insert(std::uint64_t key, std::uint64_t count);
  void grow();

  HashSeeds seeds_;
  std::vector<WordBucket> buckets_;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace kstream

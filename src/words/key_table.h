// How often each word of one class of lengths was seen, for words that are their keys: the parts of
// a word table to which nearly all words go. See PackedWords for which those are.
//
// Thread: one at a time.
// Limits: counts wrap at 2^64. A place is 16 bytes for a word of up to 8 bytes, 24 for one of up to
//   16; for how many are in use see buckets.h.
// Source: docs/decisions/0005-counting-kernel.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "words/buckets.h"
#include "words/kernel.h"

namespace kstream {

template <class Bucket>
class KeyTable {
 public:
  using Key = typename Bucket::Key;

  explicit KeyTable(const HashSeeds& seeds) : seeds_(seeds) {}

  void add(const Key& key, std::uint64_t count);
  // Each of the keys that a kernel did not find in buckets() was seen once more.
  void add_unknown(const PackedKeys<Key>& packed);
  void merge_from(const KeyTable& other);
  void clear();

  std::span<Bucket> buckets() { return buckets_.all(); }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return buckets_.bytes(); }
  // As WordTable::bytes_to_add().
  std::size_t bytes_to_add(std::size_t words) const { return buckets_.bytes_to_add(size_, words); }

  // Calls visit(std::string_view word, std::uint64_t count) once for each word.
  template <class Visit>
  void for_each(Visit&& visit) const {
    buckets_.for_each_place([&](const Bucket& bucket, std::size_t place) {
      visit(word_of(bucket.keys[place]), bucket.counts[place]);
    });
  }

 private:
  bool insert(const Key& key, std::uint64_t count);

  HashSeeds seeds_;
  Buckets<Bucket> buckets_;
  std::size_t size_ = 0;
};

extern template class KeyTable<ShortBucket>;
extern template class KeyTable<MiddleBucket>;

}  // namespace kstream

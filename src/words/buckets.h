// The buckets of a hash table: where a hash belongs, when there must be more of them, and a walk
// over what is in use.
//
// Contract: a Bucket is all zeroes when it is empty, has kPlaces places and says which are_free().
//   A word whose bucket is full is in one of the next. A higher hash belongs to no lower bucket, so
//   that growing reads and writes memory in one direction.
// Thread: one at a time.
// Limits: small tables have at most half of the places in use and grow to twice their size; those
//   beyond kSmallBytes, which wait for memory anyway, three quarters and five quarters. Memory
//   while growing: the new buckets, and a few MiB of the old ones.
// Source: docs/decisions/0005-counting-kernel.md.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "words/kernel.h"
#include "words/pages.h"

namespace kstream {

template <class Bucket>
class Buckets {
 public:
  Bucket& operator[](std::size_t i) { return pages_[i]; }
  std::span<Bucket> all() { return pages_.all(); }
  std::size_t home_of(std::uint32_t hash) const { return kstream::home_of(hash, pages_.size()); }
  std::size_t next(std::size_t i) const { return i + 1 == pages_.size() ? 0 : i + 1; }
  std::size_t bytes() const { return pages_.bytes(); }

  bool is_too_full(std::size_t used) const { return used > used_max_; }

  // Memory held while so many further words are added to those in use, when each is new.
  std::size_t bytes_to_add(std::size_t used, std::size_t words) const {
    std::size_t buckets = pages_.size();
    std::size_t old = 0;
    while (used + words > used_max(buckets)) {
      old = std::min(buckets * sizeof(Bucket), 2 * kMovedBytesAtOnce);
      buckets = grown(buckets);
    }
    return buckets * sizeof(Bucket) + old;
  }

  // More buckets, all empty; move(bucket) is called for each of the old ones.
  template <class Move>
  void grow(Move&& move) {
    Pages<Bucket> old(grown(pages_.size()));
    KS_CHECK(old.size() <= std::numeric_limits<std::uint32_t>::max());
    std::swap(old, pages_);
    used_max_ = used_max(pages_.size());
    constexpr std::size_t kMovedAtOnce = kMovedBytesAtOnce / sizeof(Bucket);
    for (std::size_t i = 0; i < old.size(); ++i) {
      move(static_cast<const Bucket&>(old[i]));
      if (i % kMovedAtOnce == kMovedAtOnce - 1) {
        old.give_back_before(i);
      }
    }
  }

  // All are empty; of those that had few words in use, three quarters go.
  void clear(std::size_t used) {
    if (pages_.size() > kBucketsMin && used < pages_.size() * Bucket::kPlaces / 16) {
      pages_ = Pages<Bucket>(whole_blocks(std::max(pages_.size() / 4, kBucketsMin)));
      used_max_ = used_max(pages_.size());
    } else if (used > 0) {
      std::memset(static_cast<void*>(&pages_[0]), 0, pages_.bytes());
    }
  }

  // Calls visit(bucket, place) for each place in use, block by block in a scattered order. In the
  // order of the buckets they would fill a smaller table with the same seed from one end, and make
  // it one long cluster.
  template <class Visit>
  void for_each_place(Visit&& visit) const {
    constexpr std::size_t kStride = 0x9E3779B1;  // a prime, so that each block has its turn
    const std::size_t blocks = pages_.size() / kBlock;
    for (std::size_t block = 0; block < blocks; ++block) {
      const Bucket* const first = &pages_[block * kStride % blocks * kBlock];
      // First which, without a branch that nobody can predict.
      std::array<std::uint8_t, kBlock * Bucket::kPlaces> in_use;
      std::size_t size = 0;
      for (std::size_t i = 0; i < in_use.size(); ++i) {
        in_use[size] = static_cast<std::uint8_t>(i);
        size += first[i / Bucket::kPlaces].is_free(i % Bucket::kPlaces) ? 0 : 1;
      }
      for (std::size_t i = 0; i < size; ++i) {
        visit(first[in_use[i] / Bucket::kPlaces], in_use[i] % Bucket::kPlaces);
      }
    }
  }

 private:
  static constexpr std::size_t kBlock = 16;  // buckets
  static constexpr std::size_t kBucketsMin = 256;
  static constexpr std::size_t kSmallBytes = 4 * 1024 * 1024;

  static constexpr std::size_t kMovedBytesAtOnce = 4 * 1024 * 1024;

  static std::size_t whole_blocks(std::size_t buckets) { return buckets / kBlock * kBlock; }
  static bool is_small(std::size_t buckets) { return buckets * sizeof(Bucket) < kSmallBytes; }
  static std::size_t grown(std::size_t buckets) { return whole_blocks(buckets / 4 * 5); }
  static std::size_t used_max(std::size_t buckets) {
    const std::size_t places = buckets * Bucket::kPlaces;
    return is_small(buckets) ? places / 2 : places / 4 * 3;
  }

  Pages<Bucket> pages_{kBucketsMin};
  std::size_t used_max_ = used_max(kBucketsMin);
};

}  // namespace kstream

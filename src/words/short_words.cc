#include "words/short_words.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace kstream {

void ShortWords::add(std::uint64_t key, std::uint64_t count) {
  if (!insert(key, count)) {
    return;
  }
  ++size_;
  if (size_ > buckets_.size() * 4 / 2) [[unlikely]] {
    grow();
  }
}

void ShortWords::add_each(const Kernel& kernel, PackedWords& packed) {
  kernel.count(buckets_, packed);
  for (std::size_t i = 0; i < packed.unknown_size; ++i) {
    add(packed.keys[packed.unknown[i]], 1);
  }
}

// True when the word is new. A word whose bucket was full is in one of the next.
bool ShortWords::insert(std::uint64_t key, std::uint64_t count) {
  const std::size_t mask = buckets_.size() - 1;
  for (std::size_t i = hash_of(key, seeds_) & mask;; i = (i + 1) & mask) {
    WordBucket& bucket = buckets_[i];
    for (std::size_t place = 0; place < 4; ++place) {
      if (bucket.keys[place] == 0) {
        bucket.keys[place] = key;
        bucket.counts[place] = count;
        return true;
      }
      if (bucket.keys[place] == key) {
        bucket.counts[place] += count;
        return false;
      }
    }
  }
}

void ShortWords::merge_from(const ShortWords& other) {
  other.for_each_key([this](std::uint64_t key, std::uint64_t count) { add(key, count); });
}

void ShortWords::grow() {
  KS_CHECK(buckets_.size() <= std::numeric_limits<std::uint32_t>::max());  // a hash has 32 bits
  std::vector<WordBucket> old(buckets_.size() * 2);
  old.swap(buckets_);
  for (const WordBucket& bucket : old) {
    for (std::size_t place = 0; place < 4 && bucket.keys[place] != 0; ++place) {
      insert(bucket.keys[place], bucket.counts[place]);
    }
  }
}

std::size_t ShortWords::bytes_to_add(std::size_t words) const {
  std::size_t buckets = buckets_.size();
  while (size_ + words > buckets * 4 / 2) {
    buckets *= 2;
  }
  const std::size_t old = buckets == buckets_.size() ? 0 : buckets_.size();
  return (buckets + old) * sizeof(WordBucket);
}

void ShortWords::clear() {
  if (buckets_.size() > kBucketsMin && size_ < buckets_.size() * 4 / 16) {
    const std::size_t buckets = std::max(buckets_.size() / 4, kBucketsMin);
    std::vector<WordBucket>().swap(buckets_);
    buckets_.resize(buckets);
  } else if (size_ > 0) {
    std::memset(static_cast<void*>(buckets_.data()), 0, bytes());
  }
  size_ = 0;
}

}  // namespace kstream

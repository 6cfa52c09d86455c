#include "words/key_table.h"

namespace kstream {

template <class Bucket>
void KeyTable<Bucket>::add(const Key& key, std::uint64_t count) {
  if (!insert(key, count)) {
    return;
  }
  ++size_;
  if (buckets_.is_too_full(size_)) [[unlikely]] {
    buckets_.grow([this](const Bucket& old) {
      for (std::size_t place = 0; place < Bucket::kPlaces && !old.is_free(place); ++place) {
        insert(old.keys[place], old.counts[place]);
      }
    });
  }
}

template <class Bucket>
void KeyTable<Bucket>::add_unknown(const PackedKeys<Key>& packed) {
  for (std::size_t i = 0; i < packed.unknown_size; ++i) {
    add(packed.keys[packed.unknown[i]], 1);
  }
}

// True when the word is new.
template <class Bucket>
bool KeyTable<Bucket>::insert(const Key& key, std::uint64_t count) {
  for (std::size_t i = buckets_.home_of(hash_of(key, seeds_));; i = buckets_.next(i)) {
    Bucket& bucket = buckets_[i];
    for (std::size_t place = 0; place < Bucket::kPlaces; ++place) {
      if (bucket.is_free(place)) {
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

template <class Bucket>
void KeyTable<Bucket>::merge_from(const KeyTable& other) {
  other.buckets_.for_each_place([this](const Bucket& bucket, std::size_t place) {
    add(bucket.keys[place], bucket.counts[place]);
  });
}

template <class Bucket>
void KeyTable<Bucket>::clear() {
  buckets_.clear(size_);
  size_ = 0;
}

template class KeyTable<ShortBucket>;
template class KeyTable<MiddleBucket>;

}  // namespace kstream

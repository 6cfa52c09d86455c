// The one shape of data through the house: consecutive records of one partition, encoded once as
// they leave librdkafka, walked as they are by whoever counts them.
//
// Format: per record, in offset order: offset delta to the record before (unsigned varint),
//   timestamp delta to the record before (zigzag varint), key length and key, value length and
//   value (lengths as zigzag varints, -1 for null). A varint has 7 bits a byte, low bits first.
// Thread: one at a time; blocks pass between threads by move of their pointer.
// Limits: kBytes of records a block; a single larger record has a block of its own, which grows to
//   hold it and shrinks when it is cleared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "model/offset.h"

namespace kstream {

// A record inside a block, valid as long as the block is.
struct RecordView {
  Offset offset = 0;
  std::int64_t timestamp_ms = 0;
  std::optional<std::string_view> key;    // nothing for null
  std::optional<std::string_view> value;  // nothing for null (a tombstone)
};

class RecordBlock {
 public:
  static constexpr std::size_t kBytes = 256 * 1024;  // fits a core's cache beside the word table

  // One of less than kBytes grows to that as it is filled.
  explicit RecordBlock(std::size_t capacity = kBytes);
  RecordBlock(const RecordBlock&) = delete;
  RecordBlock& operator=(const RecordBlock&) = delete;

  // Makes the block an empty one of this partition.
  void start(const TopicPartition& partition);

  // Appends the record, whose offset is above the last one's. False, and nothing is changed, when
  // the block has records and no room for this one.
  bool append(const RecordView& record);

  const TopicPartition& partition() const { return partition_; }
  std::uint32_t records() const { return records_; }
  bool is_empty() const { return records_ == 0; }
  std::size_t bytes() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  // The records as they are, in the format above.
  std::string_view content() const { return {reinterpret_cast<const char*>(bytes_.get()), size_}; }
  // Of a block that has records.
  Offset first_offset() const { return first_offset_; }
  Offset last_offset() const { return last_offset_; }

  // Makes the block one of this partition with this content. False, and the block is empty, when
  // the content is not that of exactly so many records.
  bool load(const TopicPartition& partition, std::uint32_t records, std::string_view content);

  // Walks the records of a block: while (auto record = reader.next()) ...
  class Reader {
   public:
    explicit Reader(const RecordBlock& block);
    // The next record, or null at the end. The view is the reader's own and changes with each call.
    const RecordView* next();

   private:
    std::uint64_t unsigned_varint();
    std::int64_t varint();
    std::optional<std::string_view> field();

    const unsigned char* at_;
    const unsigned char* end_;
    RecordView record_;
  };

 private:
  bool grow_for(std::size_t bytes);
  void make_room(std::size_t capacity);

  TopicPartition partition_;
  std::unique_ptr<unsigned char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::uint32_t records_ = 0;
  Offset first_offset_ = 0;
  Offset last_offset_ = 0;
  std::int64_t last_timestamp_ms_ = 0;
};

}  // namespace kstream

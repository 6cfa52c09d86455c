#include "model/record_block.h"

#include <algorithm>

#include "base/check.h"

namespace kstream {
namespace {

constexpr std::size_t kVarintBytesMax = 10;

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

std::size_t field_bytes(const std::optional<std::string_view>& field) {
  return kVarintBytesMax + (field ? field->size() : 0);
}

// Each writes at `to` and returns the place behind what it wrote.
unsigned char* put_unsigned(unsigned char* to, std::uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<unsigned char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<unsigned char>(value);
  return to;
}

unsigned char* put(unsigned char* to, std::int64_t value) {
  return put_unsigned(to, zigzag(value));
}

unsigned char* put(unsigned char* to, const std::optional<std::string_view>& field) {
  to = put(to, field ? static_cast<std::int64_t>(field->size()) : -1);
  return field ? std::copy(field->begin(), field->end(), to) : to;
}

}  // namespace

RecordBlock::RecordBlock() {
  make_room(kBytes);
}

void RecordBlock::start(const TopicPartition& partition) {
  partition_ = partition;
  records_ = 0;
  last_offset_ = 0;
  last_timestamp_ms_ = 0;
  size_ = 0;
  if (capacity_ > kBytes) {
    make_room(kBytes);
  }
}

bool RecordBlock::append(const RecordView& record) {
  const std::size_t bytes_max =
      2 * kVarintBytesMax + field_bytes(record.key) + field_bytes(record.value);
  if (size_ + bytes_max > capacity_) {
    if (records_ > 0) {
      return false;
    }
    make_room(bytes_max);
  }
  KS_CHECK(records_ == 0 || record.offset > last_offset_);
  unsigned char* to = bytes_.get() + size_;
  to = put_unsigned(to, static_cast<std::uint64_t>(record.offset - last_offset_));
  to = put(to, record.timestamp_ms - last_timestamp_ms_);
  to = put(to, record.key);
  to = put(to, record.value);
  size_ = static_cast<std::size_t>(to - bytes_.get());
  last_offset_ = record.offset;
  last_timestamp_ms_ = record.timestamp_ms;
  ++records_;
  return true;
}

// Only of an empty block: what it holds is not kept.
void RecordBlock::make_room(std::size_t capacity) {
  bytes_.reset(new unsigned char[capacity]);
  capacity_ = capacity;
}

RecordBlock::Reader::Reader(const RecordBlock& block)
    : at_(block.bytes_.get()), end_(block.bytes_.get() + block.size_) {}

const RecordView* RecordBlock::Reader::next() {
  if (at_ == end_) {
    return nullptr;
  }
  record_.offset += static_cast<Offset>(unsigned_varint());
  record_.timestamp_ms += varint();
  record_.key = field();
  record_.value = field();
  return &record_;
}

std::uint64_t RecordBlock::Reader::unsigned_varint() {
  std::uint64_t value = *at_++;
  if (value < 0x80) {
    return value;
  }
  value &= 0x7f;
  for (unsigned shift = 7;; shift += 7) {
    KS_CHECK(at_ < end_ && shift < 64);
    const std::uint64_t byte = *at_++;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      return value;
    }
  }
}

std::int64_t RecordBlock::Reader::varint() {
  return unzigzag(unsigned_varint());
}

std::optional<std::string_view> RecordBlock::Reader::field() {
  const std::int64_t length = varint();
  if (length < 0) {
    return std::nullopt;
  }
  KS_CHECK(length <= end_ - at_);
  const std::string_view text(reinterpret_cast<const char*>(at_), static_cast<std::size_t>(length));
  at_ += length;
  return text;
}

}  // namespace kstream

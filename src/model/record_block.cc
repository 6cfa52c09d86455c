#include "model/record_block.h"

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

}  // namespace

void RecordBlock::start(const TopicPartition& partition) {
  partition_ = partition;
  records_ = 0;
  last_offset_ = 0;
  last_timestamp_ms_ = 0;
  bytes_.clear();
  if (bytes_.capacity() > kBytes) {
    bytes_.shrink_to_fit();
    bytes_.reserve(kBytes);
  }
}

bool RecordBlock::append(const RecordView& record) {
  const std::size_t bytes_max =
      2 * kVarintBytesMax + field_bytes(record.key) + field_bytes(record.value);
  if (bytes_.size() + bytes_max > kBytes && records_ > 0) {
    return false;
  }
  KS_CHECK(records_ == 0 || record.offset > last_offset_);
  put_unsigned(static_cast<std::uint64_t>(record.offset - last_offset_));
  put(record.timestamp_ms - last_timestamp_ms_);
  put(record.key);
  put(record.value);
  last_offset_ = record.offset;
  last_timestamp_ms_ = record.timestamp_ms;
  ++records_;
  return true;
}

void RecordBlock::put_unsigned(std::uint64_t value) {
  while (value >= 0x80) {
    bytes_.push_back(static_cast<unsigned char>(value | 0x80));
    value >>= 7;
  }
  bytes_.push_back(static_cast<unsigned char>(value));
}

void RecordBlock::put(std::int64_t value) {
  put_unsigned(zigzag(value));
}

void RecordBlock::put(const std::optional<std::string_view>& field) {
  put(field ? static_cast<std::int64_t>(field->size()) : -1);
  if (field) {
    bytes_.insert(bytes_.end(), field->begin(), field->end());
  }
}

RecordBlock::Reader::Reader(const RecordBlock& block)
    : at_(block.bytes_.data()), end_(block.bytes_.data() + block.bytes_.size()) {}

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

#include "model/record_block.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/varint.h"
#include "model/record_headers.h"

namespace kstream {
namespace {

constexpr std::size_t kVarintBytesMax = 10;
constexpr std::size_t kGrowth = 4;

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

// Adds a difference to a number that stays in range; false when it would not.
bool advance(std::int64_t& number, std::uint64_t zigzag_difference) {
  return !__builtin_add_overflow(number, unzigzag(zigzag_difference), &number);
}

// What is before a key: the headers, if there are any.
bool skip_headers(std::string_view& content) {
  std::string_view rest = content;
  const auto mark = take_varint(rest);
  if (!mark || unzigzag(*mark) != RecordBlock::kHeadersFollow) {
    return true;
  }
  const auto length = take_varint(rest);
  if (!length || *length == 0 || *length > rest.size() ||
      !are_headers(rest.substr(0, static_cast<std::size_t>(*length)))) {
    return false;
  }
  content = rest.substr(static_cast<std::size_t>(*length));
  return true;
}

bool skip_field(std::string_view& content) {
  const auto length = take_varint(content);
  if (!length || unzigzag(*length) < -1 ||
      unzigzag(*length) > static_cast<std::int64_t>(content.size())) {
    return false;
  }
  content.remove_prefix(static_cast<std::size_t>(std::max<std::int64_t>(unzigzag(*length), 0)));
  return true;
}

}  // namespace

RecordBlock::RecordBlock(std::size_t capacity) {
  make_room(capacity);
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
  const std::size_t bytes_max = 4 * kVarintBytesMax + record.headers.size() +
                                field_bytes(record.key) + field_bytes(record.value);
  if (size_ + bytes_max > capacity_ && !grow_for(bytes_max)) {
    return false;
  }
  KS_CHECK(records_ == 0 || record.offset > last_offset_);
  unsigned char* to = bytes_.get() + size_;
  to = put_unsigned(to, static_cast<std::uint64_t>(record.offset - last_offset_));
  to = put(to, record.timestamp_ms - last_timestamp_ms_);
  if (!record.headers.empty()) {
    to = put(to, kHeadersFollow);
    to = put_unsigned(to, record.headers.size());
    to = std::copy(record.headers.begin(), record.headers.end(), to);
  }
  to = put(to, record.key);
  to = put(to, record.value);
  size_ = static_cast<std::size_t>(to - bytes_.get());
  first_offset_ = records_ == 0 ? record.offset : first_offset_;
  last_offset_ = record.offset;
  last_timestamp_ms_ = record.timestamp_ms;
  ++records_;
  return true;
}

bool RecordBlock::load(const TopicPartition& partition, std::uint32_t records,
                       std::string_view content) {
  start(partition);
  std::string_view rest = content;
  for (std::uint32_t i = 0; i < records; ++i) {
    const auto rise = take_varint(rest);
    const auto later = take_varint(rest);
    if (!rise || (*rise == 0 && i > 0) ||
        *rise > static_cast<std::uint64_t>(std::numeric_limits<Offset>::max() - last_offset_) ||
        !later || !advance(last_timestamp_ms_, *later) || !skip_headers(rest) ||
        !skip_field(rest) || !skip_field(rest)) {
      return false;
    }
    last_offset_ += static_cast<Offset>(*rise);
    first_offset_ = i == 0 ? last_offset_ : first_offset_;
  }
  if (!rest.empty()) {
    return false;
  }
  if (content.size() > capacity_) {
    make_room(content.size());
  }
  std::copy(content.begin(), content.end(), bytes_.get());
  size_ = content.size();
  records_ = records;
  return true;
}

// Beyond kBytes only for a record that is the first one.
bool RecordBlock::grow_for(std::size_t bytes) {
  if (records_ > 0 && size_ + bytes > kBytes) {
    return false;
  }
  make_room(std::max(size_ + bytes, std::min(capacity_ * kGrowth, kBytes)));
  return true;
}

void RecordBlock::make_room(std::size_t capacity) {
  std::unique_ptr<unsigned char[]> bytes(new unsigned char[capacity + kReadableBeyond]);
  std::copy_n(bytes_.get(), size_, bytes.get());
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

}  // namespace kstream

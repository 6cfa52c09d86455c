#include "model/record_headers.h"

#include <cstdint>

#include "base/varint.h"

namespace kstream {
namespace {

std::optional<std::string_view> take_bytes(std::string_view& from, std::uint64_t length) {
  if (length > from.size()) {
    return std::nullopt;
  }
  const std::string_view bytes = from.substr(0, static_cast<std::size_t>(length));
  from.remove_prefix(bytes.size());
  return bytes;
}

}  // namespace

void put_header(std::string& to, const RecordHeader& header) {
  put_varint(to, header.key.size());
  to += header.key;
  put_varint(to, zigzag(header.value ? static_cast<std::int64_t>(header.value->size()) : -1));
  to += header.value.value_or("");
}

std::optional<RecordHeader> take_header(std::string_view& headers) {
  const auto key_length = take_varint(headers);
  const auto key = key_length ? take_bytes(headers, *key_length) : std::nullopt;
  const auto value_length = key ? take_varint(headers) : std::nullopt;
  if (!value_length || unzigzag(*value_length) < -1) {
    return std::nullopt;
  }
  if (unzigzag(*value_length) == -1) {
    return RecordHeader{*key, std::nullopt};
  }
  const auto value = take_bytes(headers, static_cast<std::uint64_t>(unzigzag(*value_length)));
  return value ? std::optional(RecordHeader{*key, value}) : std::nullopt;
}

bool are_headers(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!take_header(bytes)) {
      return false;
    }
  }
  return true;
}

}  // namespace kstream

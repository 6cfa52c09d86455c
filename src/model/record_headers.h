// A record's headers, encoded once, as they lie in a block.
//
// Format: of each header, in the record's order: key length (unsigned varint) and key, value length
//   (zigzag varint, -1 for null) and value. A key may come more than once.
// Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kstream {

struct RecordHeader {
  std::string_view key;
  std::optional<std::string_view> value;  // nothing for null
};

void put_header(std::string& to, const RecordHeader& header);

// Takes the first header off; nothing when the bytes do not begin with one.
std::optional<RecordHeader> take_header(std::string_view& headers);

// Whether the bytes are headers, or none.
bool are_headers(std::string_view bytes);

}  // namespace kstream

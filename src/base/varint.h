// Numbers in few bytes: 7 bits a byte, low bits first, the high bit says that more follow. Numbers
// with a sign alternate: 0, -1, 1, -2, ... (zigzag).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kstream {

inline std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

inline std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

inline void put_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    to += static_cast<char>(value | 0x80);
  }
  to += static_cast<char>(value);
}

// Takes a number off the front; nothing when the text ends inside it or it has more than 64 bits.
inline std::optional<std::uint64_t> take_varint(std::string_view& from) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    if (shift == 63 && byte > 1) {
      break;
    }
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace kstream

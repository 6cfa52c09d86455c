#include "wal/format.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "base/parse.h"

namespace kstream::wal {
namespace {

constexpr std::string_view kSegmentMagic{"KSTRWAL\x01", 8};
constexpr std::string_view kFrameMagic = "KFRM";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kHashedBytes = 504;      // of a segment's header
constexpr std::size_t kFrameHashedBytes = 32;  // of a frame's
constexpr std::uint8_t kBeginsGroup = 0x10;    // in a frame's flags; the low two bits: compression
constexpr std::string_view kSuffix = ".wal";
constexpr std::size_t kNumberDigits = 20;

// Little-endian, whatever the machine has.
template <class T>
void put(std::string& to, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    to[at + i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
}

template <class T>
T get(std::string_view from, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(from[at + i])} << (8 * i);
  }
  return static_cast<T>(value);
}

Error broken(std::string rule) {
  return Error{ExitCode::kData, std::move(rule)};
}

}  // namespace

bool is_zero(std::string_view bytes) {
  return bytes.empty() ||
         (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

std::string encode(const SegmentHeader& header) {
  std::string bytes(kSegmentHeaderBytes, '\0');
  kSegmentMagic.copy(bytes.data(), kSegmentMagic.size());
  put(bytes, 8, kVersion);
  put(bytes, 10, kVersion);
  put(bytes, 12, static_cast<std::uint32_t>(kSegmentHeaderBytes));
  std::copy(header.stream.begin(), header.stream.end(), bytes.begin() + 16);
  put(bytes, 32, header.number);
  put(bytes, 40, header.first_sequence);
  put(bytes, 48, header.created_ms);
  put(bytes, 56, header.predecessor_bytes);
  put(bytes, 64, header.predecessor_hash);
  put(bytes, 72, header.seed);
  put(bytes, 80, static_cast<std::uint32_t>(kAlignment));
  put(bytes, 84, static_cast<std::uint32_t>(kPayloadBytesMax));
  put(bytes, 88, header.bytes_when_named);
  put(bytes, kHashedBytes, XXH3_64bits(bytes.data(), kHashedBytes));
  return bytes;
}

Result<SegmentHeader> decode_segment_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes) {
    return broken(fmt::format("its header is cut off: {} of {} bytes are there", bytes.size(),
                              kSegmentHeaderBytes));
  }
  if (bytes.substr(0, kSegmentMagic.size()) != kSegmentMagic) {
    return broken("it does not begin with KSTRWAL, as a segment of the log does");
  }
  if (const auto hash = XXH3_64bits(bytes.data(), kHashedBytes);
      get<std::uint64_t>(bytes, kHashedBytes) != hash) {
    return broken(fmt::format("its header does not have its hash: {:016x}, not {:016x}",
                              get<std::uint64_t>(bytes, kHashedBytes), hash));
  }
  if (const auto version = get<std::uint16_t>(bytes, 8); version != kVersion) {
    return broken(fmt::format("its version is {}, this kstream reads {}", version, kVersion));
  }
  SegmentHeader header;
  std::copy_n(bytes.begin() + 16, header.stream.size(), header.stream.begin());
  header.number = get<std::uint64_t>(bytes, 32);
  header.first_sequence = get<Sequence>(bytes, 40);
  header.created_ms = get<std::int64_t>(bytes, 48);
  header.predecessor_bytes = get<std::uint64_t>(bytes, 56);
  header.predecessor_hash = get<std::uint64_t>(bytes, 64);
  header.seed = get<std::uint64_t>(bytes, 72);
  header.bytes_when_named = get<std::uint64_t>(bytes, 88);
  if (encode(header) != bytes.substr(0, kSegmentHeaderBytes)) {
    return broken("its header has something where this kstream writes zeros, or other sizes");
  }
  return header;
}

std::uint64_t seed_in(std::string_view header) {
  return header.size() < kSegmentHeaderBytes ? 0 : get<std::uint64_t>(header, 72);
}

std::uint64_t put_frame(std::string& to, FrameHeader header,
                        std::initializer_list<std::string_view> payload, std::uint64_t seed) {
  const std::size_t at = to.size();
  to.append(kFrameHeaderBytes, '\0');
  for (const std::string_view part : payload) {
    to += part;
  }
  const std::size_t payload_at = at + kFrameHeaderBytes;
  const std::size_t payload_bytes = to.size() - payload_at;
  to.append(align_up(payload_bytes, 8) - payload_bytes, '\0');
  const std::uint64_t hash = XXH3_64bits_withSeed(to.data() + payload_at, payload_bytes, seed);
  kFrameMagic.copy(to.data() + at, kFrameMagic.size());
  put(to, at + 4, static_cast<std::uint32_t>(payload_bytes));
  put(to, at + 8, header.sequence);
  put(to, at + 16, header.records);
  put(to, at + 20, header.type);
  put(to, at + 21, header.begins_group ? kBeginsGroup : std::uint8_t{0});
  put(to, at + 24, hash);
  put(to, at + kFrameHashedBytes, XXH3_64bits_withSeed(to.data() + at, kFrameHashedBytes, seed));
  return hash;
}

std::optional<FrameHeader> decode_frame_header(std::string_view bytes, std::uint64_t seed) {
  if (bytes.size() < kFrameHeaderBytes || bytes.substr(0, kFrameMagic.size()) != kFrameMagic ||
      get<std::uint64_t>(bytes, kFrameHashedBytes) !=
          XXH3_64bits_withSeed(bytes.data(), kFrameHashedBytes, seed)) {
    return std::nullopt;
  }
  const auto flags = get<std::uint8_t>(bytes, 21);
  FrameHeader header;
  header.payload_bytes = get<std::uint32_t>(bytes, 4);
  header.sequence = get<Sequence>(bytes, 8);
  header.records = get<std::uint32_t>(bytes, 16);
  header.type = get<std::uint8_t>(bytes, 20);
  header.begins_group = (flags & kBeginsGroup) != 0;
  header.payload_hash = get<std::uint64_t>(bytes, 24);
  if ((flags & ~kBeginsGroup) != 0 || get<std::uint16_t>(bytes, 22) != 0 ||
      header.payload_bytes > kPayloadBytesMax) {
    return std::nullopt;
  }
  return header;
}

bool is_payload_of(const FrameHeader& header, std::string_view padded, std::uint64_t seed) {
  return padded.size() == header.padded_payload_bytes() &&
         is_zero(padded.substr(header.payload_bytes)) &&
         header.payload_hash == XXH3_64bits_withSeed(padded.data(), header.payload_bytes, seed);
}

std::string segment_name(std::uint64_t number) {
  return fmt::format("{:0{}}{}", number, kNumberDigits, kSuffix);
}

std::optional<std::uint64_t> segment_number(std::string_view name) {
  if (name.size() != kNumberDigits + kSuffix.size() || !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  for (const char digit : name.substr(0, kNumberDigits)) {
    if (digit < '0' || digit > '9') {
      return std::nullopt;
    }
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return number;
}

std::string to_string(const StreamId& id) {
  std::string text;
  for (std::size_t i = 0; i < id.size(); ++i) {
    text += i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
    text += fmt::format("{:02x}", id[i]);
  }
  return text;
}

std::optional<StreamId> parse_stream_id(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  StreamId id{};
  std::size_t digits = 0;
  for (const char character : text) {
    const std::size_t digit = kDigits.find(character);
    if (digit != kDigits.npos && digits < 2 * id.size()) {
      id[digits / 2] = static_cast<unsigned char>(id[digits / 2] * 16U + digit);
      ++digits;
    }
  }
  return to_string(id) == text ? std::optional(id) : std::nullopt;
}

}  // namespace kstream::wal

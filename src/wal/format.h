// The bytes of a segment: its header, and the frames behind it.
//
// Format: docs/FORMATS.md, with an example. Little-endian. Every hash is XXH3-64, those of frames
// are
//   seeded with the segment's random number, so that no other segment's frame can be taken for one.
// Pure. Errors: 65 with the rule that the bytes break; the caller names file and byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kstream::wal {

using Sequence = std::uint64_t;  // of frames: counts up by one through all segments
using StreamId = std::array<unsigned char, 16>;

constexpr std::uint64_t kAlignment = 4096;  // of the first frame of each fsync group
constexpr std::uint64_t kSegmentHeaderBytes = kAlignment;
constexpr std::uint64_t kFrameHeaderBytes = 40;
// Kafka's brokers take records of 1 MB by default, and librdkafka's answers have 100 MB at most.
constexpr std::uint64_t kPayloadBytesMax = std::uint64_t{128} * 1024 * 1024;

struct SegmentHeader {
  StreamId stream{};
  std::uint64_t number = 0;     // as in the file's name
  Sequence first_sequence = 0;  // of its first frame
  std::int64_t created_ms = 0;
  std::uint64_t predecessor_bytes = 0;  // up to the end of its last frame; 0: there was none
  std::uint64_t predecessor_hash = 0;   // of that frame's payload
  std::uint64_t seed = 0;
  std::uint64_t bytes_when_named = 0;  // durable before the segment got its name
  bool operator==(const SegmentHeader&) const = default;
};

enum class FrameType : std::uint8_t {
  kRecords = 1,
  kBatch = 2,
  kProcessed = 3,
  kState = 4,
  kSeal = 5,
  kCommitted = 0x81,
};
// A reader that does not know a type with this bit skips the frame.
constexpr std::uint8_t kSkippable = 0x80;

struct FrameHeader {
  std::uint8_t type = 0;  // a FrameType, or one that is not known
  bool begins_group = false;
  std::uint32_t payload_bytes = 0;
  std::uint32_t records = 0;
  Sequence sequence = 0;
  std::uint64_t payload_hash = 0;

  FrameType known_type() const { return static_cast<FrameType>(type); }
  std::uint64_t padded_payload_bytes() const { return (payload_bytes + 7ULL) & ~7ULL; }
  std::uint64_t frame_bytes() const { return kFrameHeaderBytes + padded_payload_bytes(); }
};

constexpr std::uint64_t align_up(std::uint64_t bytes, std::uint64_t to = kAlignment) {
  return (bytes + to - 1) / to * to;
}
bool is_zero(std::string_view bytes);

std::string encode(const SegmentHeader& header);
Result<SegmentHeader> decode_segment_header(std::string_view bytes);
// The seed that a header has, also one that is damaged elsewhere; 0 when it is cut off.
std::uint64_t seed_in(std::string_view header);

// Adds a frame; its length and hashes are those of the payload that the parts make together.
// Gives the payload's hash.
std::uint64_t put_frame(std::string& to, FrameHeader header,
                        std::initializer_list<std::string_view> payload, std::uint64_t seed);
// Nothing when the bytes do not begin with a frame's header that has its hash.
std::optional<FrameHeader> decode_frame_header(std::string_view bytes, std::uint64_t seed);
// Whether the payload, with its padding, is the header's.
bool is_payload_of(const FrameHeader& header, std::string_view padded, std::uint64_t seed);

// "00000000000000000001.wal", and back; nothing when the name is not one.
std::string segment_name(std::uint64_t number);
std::optional<std::uint64_t> segment_number(std::string_view name);
constexpr std::string_view kTemporarySuffix = ".tmp";

// "6f1c9d1e-4b0a-4e55-9c3b-0f5f6d1f2a3b", and back.
std::string to_string(const StreamId& id);
std::optional<StreamId> parse_stream_id(std::string_view text);

}  // namespace kstream::wal

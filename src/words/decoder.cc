#include "words/decoder.h"

#include <simdjson.h>

#include "words/kernel.h"

namespace kstream {
namespace {

// A single damaged record of 16 MiB must not hold 48 MiB for the rest of the process.
constexpr std::size_t kRepairedBytesKept = 1024 * 1024;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Sequence {
  std::size_t bytes;  // of the character, or of the maximal subpart; at least 1
  bool is_valid;
};

// How a lead byte's sequence goes on: table 3-7 of the Unicode standard.
struct Lead {
  std::size_t bytes;  // 0: no sequence begins with this byte
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xBF;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) {
    return {1};
  }
  if (byte < 0xC2 || byte > 0xF4) {
    return {0};
  }
  if (byte < 0xE0) {
    return {2};
  }
  if (byte < 0xF0) {
    return {3, static_cast<unsigned char>(byte == 0xE0 ? 0xA0 : 0x80),
            static_cast<unsigned char>(byte == 0xED ? 0x9F : 0xBF)};
  }
  return {4, static_cast<unsigned char>(byte == 0xF0 ? 0x90 : 0x80),
          static_cast<unsigned char>(byte == 0xF4 ? 0x8F : 0xBF)};
}

Sequence first_sequence(std::string_view bytes) {
  const Lead lead = lead_of(static_cast<unsigned char>(bytes[0]));
  if (lead.bytes == 0) {
    return {1, false};
  }
  for (std::size_t i = 1; i < lead.bytes; ++i) {
    const unsigned char min = i == 1 ? lead.second_min : 0x80;
    const unsigned char max = i == 1 ? lead.second_max : 0xBF;
    const unsigned char byte = i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
    if (byte < min || byte > max) {
      return {i, false};
    }
  }
  return {lead.bytes, true};
}

}  // namespace

DecodedText Decoder::decode(std::string_view bytes) {
  if (repaired_.capacity() > kRepairedBytesKept) [[unlikely]] {
    std::string().swap(repaired_);
  }
  if (is_text(bytes)) {
    return {bytes};
  }
  repair(bytes);
  const std::string_view repaired = repaired_;
  return {repaired.substr(0, repaired.size() - kReadableBeyond), true};
}

bool Decoder::is_text(std::string_view bytes) const {
  return decoding_ == Decoding::kBytes || simdjson::validate_utf8(bytes.data(), bytes.size());
}

void Decoder::repair(std::string_view bytes) {
  repaired_.clear();
  std::size_t valid_bytes = 0;  // at the front of `bytes`, not yet copied
  while (valid_bytes < bytes.size()) {
    const Sequence sequence = first_sequence(bytes.substr(valid_bytes));
    if (sequence.is_valid) {
      valid_bytes += sequence.bytes;
      continue;
    }
    repaired_.append(bytes.substr(0, valid_bytes)).append(kReplacement);
    bytes.remove_prefix(valid_bytes + sequence.bytes);
    valid_bytes = 0;
  }
  repaired_.append(bytes).append(kReadableBeyond, '\0');
}

}  // namespace kstream

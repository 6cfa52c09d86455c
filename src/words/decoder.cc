#include "words/decoder.h"

#include <simdjson.h>

#include <algorithm>

#include "base/check.h"

namespace kstream {
namespace {

// A single damaged record of 16 MiB must not hold 48 MiB for the rest of the process.
constexpr std::size_t kTextBytesKept = 1024 * 1024;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_ascii(char byte) {
  return static_cast<unsigned char>(byte) < 0x80;
}

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

std::string to_string(const DecodeOptions& options) {
  std::string text(name_of(kDecodingNames, options.decoding));
  return options.decoding == Decoding::kJson ? text + ":" + options.pointer.text : text;
}

Decoder::Decoder(const DecodeOptions& options) : decoding_(options.decoding) {
  if (decoding_ == Decoding::kJson) {
    json_.emplace(options.pointer);
  }
}

Decoded Decoder::decode(std::string_view bytes) {
  if (text_.capacity() > kTextBytesKept) [[unlikely]] {
    std::string().swap(text_);
  }
  if (json_) {
    return json_->read(bytes);
  }
  Decoded as_it_is;
  as_it_is.text = bytes;
  if (is_text(bytes)) {
    return as_it_is;
  }
  return decoding_ == Decoding::kLatin1 ? from_latin1(bytes) : repaired(bytes);
}

bool Decoder::is_text(std::string_view bytes) const {
  switch (decoding_) {
    case Decoding::kUtf8:
      return simdjson::validate_utf8(bytes.data(), bytes.size());
    case Decoding::kLatin1:
      return std::all_of(bytes.begin(), bytes.end(), is_ascii);
    case Decoding::kBytes:
      return true;
    case Decoding::kJson:
      return false;
  }
  KS_CHECK(false);
}

Decoded Decoder::from_latin1(std::string_view bytes) {
  text_.clear();
  for (const char byte : bytes) {
    if (is_ascii(byte)) {
      text_ += byte;
      continue;
    }
    const auto character = static_cast<unsigned char>(byte);
    text_ += static_cast<char>(0xC0 | character >> 6);
    text_ += static_cast<char>(0x80 | (character & 0x3F));
  }
  Decoded decoded;
  decoded.text = text_;
  return decoded;
}

Decoded Decoder::repaired(std::string_view bytes) {
  Decoded decoded;
  decoded.problem = "is not valid UTF-8";
  text_.clear();
  const char* const begin = bytes.data();
  std::size_t valid_bytes = 0;  // at the front of `bytes`, not yet copied
  while (valid_bytes < bytes.size()) {
    const Sequence sequence = first_sequence(bytes.substr(valid_bytes));
    if (sequence.is_valid) {
      valid_bytes += sequence.bytes;
      continue;
    }
    if (!decoded.problem_at) {
      decoded.problem_at = static_cast<std::size_t>(bytes.data() - begin) + valid_bytes;
    }
    text_.append(bytes.substr(0, valid_bytes)).append(kReplacement);
    bytes.remove_prefix(valid_bytes + sequence.bytes);
    valid_bytes = 0;
  }
  text_.append(bytes);
  decoded.text = text_;
  return decoded;
}

}  // namespace kstream

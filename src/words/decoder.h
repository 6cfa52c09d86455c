// A record's bytes to the text whose words are counted.
//
// Contract: all but kBytes give valid UTF-8. Bytes that are that already come back as they are, not
//   copied. kUtf8 makes of others one U+FFFD for each maximal subpart of an ill-formed sequence,
//   byte for byte what Python 3's bytes.decode('utf-8', errors='replace') gives: an encoded
//   surrogate (ED A0 80) gives three, an overlong C0 80 two, a sequence that breaks off one. A byte
//   order mark is text like any other. kLatin1 makes each byte the character of its number.
//   kBytes gives the bytes as they are, whatever they are. kJson: see json_reader.h.
// Thread: one at a time; a counting thread has a decoder of its own.
// Limits: no allocation for bytes that come back; repaired text is up to three times as long as its
//   bytes, Latin-1 twice.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/names.h"
#include "words/decoded.h"
#include "words/json_reader.h"

namespace kstream {

enum class Decoding { kUtf8, kLatin1, kBytes, kJson };

inline constexpr Named<Decoding> kDecodingNames[] = {{"utf8", Decoding::kUtf8},
                                                     {"latin1", Decoding::kLatin1},
                                                     {"bytes", Decoding::kBytes},
                                                     {"json", Decoding::kJson}};

struct DecodeOptions {
  Decoding decoding = Decoding::kUtf8;
  JsonPointer pointer;  // of kJson
};

// As --decode has it.
std::string to_string(const DecodeOptions& options);

class Decoder {
 public:
  explicit Decoder(const DecodeOptions& options);

  // Of kJson the bytes can be read for kReadableBeyond bytes behind their end.
  Decoded decode(std::string_view bytes);
  // Whether decode() would give these bytes as they are.
  bool is_text(std::string_view bytes) const;
  // The same of bytes known to be ASCII.
  bool is_ascii_text() const { return decoding_ != Decoding::kJson; }

 private:
  Decoded repaired(std::string_view bytes);
  Decoded from_latin1(std::string_view bytes);

  Decoding decoding_;
  std::optional<JsonReader> json_;
  std::string text_;  // that is not the bytes themselves
};

}  // namespace kstream

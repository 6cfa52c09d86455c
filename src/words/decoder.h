// A record's bytes to the text whose words are counted.
//
// Contract: kUtf8 gives valid UTF-8. Valid bytes come back as they are, not copied. In others each
//   maximal subpart of an ill-formed sequence becomes one U+FFFD, byte for byte what Python 3's
//   bytes.decode('utf-8', errors='replace') gives: an encoded surrogate (ED A0 80) gives three, an
//   overlong C0 80 two, a sequence that breaks off one. A byte order mark is text like any other.
//   kBytes gives the bytes as they are, whatever they are.
// Thread: one at a time; a counting thread has a decoder of its own.
// Limits: no allocation for valid bytes; repaired text is up to three times as long as its bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/names.h"

namespace kstream {

enum class Decoding { kUtf8, kBytes };

inline constexpr Named<Decoding> kDecodingNames[] = {{"utf8", Decoding::kUtf8},
                                                     {"bytes", Decoding::kBytes}};

// Valid until the decoder's next call, and no longer than the bytes it was made from. A repaired
// text can be read for kReadableBeyond bytes behind its end.
struct DecodedText {
  std::string_view text;
  bool is_repaired = false;  // the bytes were not valid; the text has a U+FFFD for each bad part
};

class Decoder {
 public:
  explicit Decoder(Decoding decoding) : decoding_(decoding) {}

  DecodedText decode(std::string_view bytes);
  // Whether decode() would give these bytes as they are. For ASCII it would.
  bool is_text(std::string_view bytes) const;

 private:
  void repair(std::string_view bytes);

  Decoding decoding_;
  std::string repaired_;
};

}  // namespace kstream

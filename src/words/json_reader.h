// The text, number or list of texts that a JSON Pointer leads to in a record.
//
// Contract: the whole record must be one JSON text as RFC 8259 has it, in UTF-8; a byte order mark
//   is none. Names are compared as decoded. Of members with one name the last counts, as in Python,
//   Java and JavaScript. A number is its digits as written, however many. An array of texts gives
//   its elements as words, which are not split. Anything else there, or nothing, is a problem.
// Errors: an escaped surrogate without its other half is a problem, for it stands for no character.
// Thread: one at a time.
// Limits: nested kJsonDepthMax deep; memory is kept for records up to 1 MiB.
// Source: RFC 6901, RFC 8259.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "words/decoded.h"

namespace kstream {

inline constexpr std::size_t kJsonDepthMax = 1000;  // simdjson has 1024, Python 1000

struct JsonPointer {
  std::string text;                // as given: "/a~1b/0", or "" for the whole record
  std::vector<std::string> names;  // without its escapes: "a/b", "0"
};

// Errors: 64, about the pointer only.
Result<JsonPointer> parse_json_pointer(std::string_view text);

class JsonReader {
 public:
  explicit JsonReader(JsonPointer pointer);
  JsonReader(JsonReader&&) noexcept;
  ~JsonReader();

  // The bytes can be read for kReadableBeyond bytes behind their end.
  Decoded read(std::string_view bytes);

 private:
  struct Parse;

  JsonPointer pointer_;
  std::unique_ptr<Parse> parse_;
};

}  // namespace kstream

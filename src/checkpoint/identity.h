// What a state directory belongs to. Compared at every start, changed by conversions only: counts
// of another topic, cluster or tokenizer are never mixed with these.
//
// Pure, but for new_stream_id. docs/FORMATS.md has the text with an example.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kstream {

struct Identity {
  std::string stream;               // a uuid, made with the directory
  std::string cluster;              // the id of the Kafka cluster
  std::vector<std::string> topics;  // as given, in order
  std::string source;               // "direct" or "receiver"
  std::string group;                // that receives; empty for a direct stream
  std::string isolation;            // which records are seen: "committed" or "uncommitted"
  std::string decode;               // as the options name them
  std::string split;
  std::string filter;     // "lower", "min-length=2", or both with a comma; empty for none
  std::string handler{};  // "lua" when there are user functions; empty for none
  bool operator==(const Identity&) const = default;
};

std::string encode(const Identity& identity);

// Errors: 65 with the rule that the text breaks.
Result<Identity> decode_identity(std::string_view text);

// Whether a directory of `stored` may be used by a run of `wanted`; the stream's uuid is not
// compared. Errors: 78 with both values of what differs.
Status check_same(const Identity& stored, const Identity& wanted, const std::string& directory);

// A random (version 4) UUID.
std::string new_stream_id();

}  // namespace kstream

// What a librdkafka client is told: the user's properties, those that kstream's guarantees need,
// and which of the former would break the latter.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace kstream::kafka {

using Properties = std::vector<std::pair<std::string, std::string>>;

struct ClientConfig {
  std::string brokers;    // HOST:PORT,...
  Properties properties;  // the user's own, as -X gives them
  bool is_read_uncommitted = false;
};

// Whether the user may set this property, and this value is one that librdkafka takes.
// Errors: 64, with the reason and the option to use instead.
Status check_property(const std::string& name, const std::string& value);

}  // namespace kstream::kafka

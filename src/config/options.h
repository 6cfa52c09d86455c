// Every option once: names, help, default, and what its text does to the settings. The parser, the
// help, the environment variables, the keys of the configuration file and --print-config come from
// this one table.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/settings.h"

namespace kstream {

enum OptionUse : unsigned {
  kForWordcount = 1,
  kForProduce = 2,
  kForBroker = 4,
  kForState = 8,
  kForOffsets = 16,
  kForAdopt = 32
};

struct Option {
  std::string_view key;       // "brokers": --brokers, KSTREAM_BROKERS, "brokers" in the file
  std::string_view others;    // further spellings, "-b,--bootstrap-server"
  std::string_view value;     // what the help calls the value; empty for a switch
  std::string_view fallback;  // the default, for people
  std::string_view help;
  unsigned uses = 0;  // OptionUse, or-ed
  bool is_repeatable = false;
  // Errors: 64, about the value only; the caller says which option it was.
  Status (*apply)(Settings& settings, std::string_view text) = nullptr;
  bool is_positional = false;  // a word in its place, required: no dashes before it
};

std::span<const Option> options();

}  // namespace kstream

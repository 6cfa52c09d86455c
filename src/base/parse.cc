#include "base/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>
#include <span>

namespace kstream {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr Unit kTimeUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
constexpr std::int64_t kDurationMaxMs = 10LL * 24 * 3'600'000;
constexpr Unit kByteUnits[] = {
    {"B", 1}, {"KiB", 1LL << 10U}, {"MiB", 1LL << 20U}, {"GiB", 1LL << 30U}, {"TiB", 1LL << 40U}};
constexpr std::int64_t kBytesMax = 1LL << 50U;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

// A number above 0 and one of the units, made units of 1; nothing for any other text.
std::optional<std::int64_t> number_with_unit(std::string_view text, std::span<const Unit> units,
                                             std::int64_t max) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = whole_number(text.substr(0, digits));
  for (const Unit& unit : units) {
    if (text.substr(digits) == unit.name && number && *number > 0 && *number <= max / unit.factor) {
      return *number * unit.factor;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max) {
  const auto value = whole_number(text);
  if (!value || *value < min || *value > max) {
    return Error{ExitCode::kUsage,
                 fmt::format("'{}' is not a whole number from {} to {}", text, min, max)};
  }
  return *value;
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (const auto ms = number_with_unit(text, kTimeUnits, kDurationMaxMs)) {
    return std::chrono::milliseconds(*ms);
  }
  return Error{ExitCode::kUsage,
               fmt::format("'{}' is not a duration: a number above 0 and its unit, as 500ms, 2s, "
                           "1m or 1h, up to 240h",
                           text)};
}

Result<std::int64_t> parse_bytes(std::string_view text) {
  if (const auto bytes = number_with_unit(text, kByteUnits, kBytesMax)) {
    return *bytes;
  }
  return Error{ExitCode::kUsage,
               fmt::format("'{}' is not a size: a number above 0 and its unit, as 64KiB, 512MiB "
                           "or 1GiB, up to 1024TiB",
                           text)};
}

Result<std::int64_t> parse_time(std::string_view text) {
  const std::string owned(text);
  for (const char* form : {"%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"}) {
    std::tm parsed{};
    const char* end = ::strptime(owned.c_str(), form, &parsed);
    if (end == nullptr || *end != '\0') {
      continue;
    }
    const std::int64_t zone_s = parsed.tm_gmtoff;
    const std::tm asked = parsed;
    const std::int64_t seconds = ::timegm(&parsed);
    if (parsed.tm_mday == asked.tm_mday && parsed.tm_sec == asked.tm_sec && seconds >= zone_s) {
      return (seconds - zone_s) * 1000;
    }
  }
  return Error{ExitCode::kUsage,
               fmt::format("'{}' is not a time with its zone, as 2026-01-31T10:00Z or "
                           "2026-01-31T10:00:30+01:00",
                           text)};
}

std::string duration_text(std::chrono::milliseconds duration) {
  const Unit* best = &kTimeUnits[0];
  for (const Unit& unit : kTimeUnits) {
    if (duration.count() % unit.factor == 0) {
      best = &unit;
    }
  }
  return fmt::format("{}{}", duration.count() / best->factor, best->name);
}

std::vector<std::string_view> split_list(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(at + 1);
  }
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  return text.substr(text.starts_with(kMark) ? kMark.size() : 0);
}

}  // namespace kstream

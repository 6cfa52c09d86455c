#include "config/places.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <regex>
#include <span>
#include <vector>

#include "base/parse.h"
#include "base/suggest.h"

namespace kstream {
namespace {

constexpr std::int64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kTopicBytesMax = 249;

struct Spelling {
  std::string_view word;
  Place place;
};

std::span<const Spelling> spellings() {
  static const Spelling kSpellings[] = {
      {"latest", Latest{}},          {"earliest", Earliest{}},  {"end", Latest{}},
      {"largest", Latest{}},         {"beginning", Earliest{}}, {"smallest", Earliest{}},
      {"committed", GroupPosition{}}};
  return kSpellings;
}

Error bad_place(std::string_view text) {
  std::vector<std::string_view> words;
  for (const Spelling& spelling : spellings()) {
    words.push_back(spelling.word);
  }
  const std::string near = nearest(text, words);
  return Error{ExitCode::kUsage,
               fmt::format("'{}' is not a place: latest, earliest, committed, -N, @TIME or "
                           "TOPIC:PARTITION:OFFSET,...{}",
                           text, near.empty() ? "" : fmt::format("; did you mean '{}'?", near))};
}

Result<TopicPartition> parse_partition(std::string_view topic, std::string_view number) {
  KS_TRY(check_topic(topic));
  if (topic.starts_with('^')) {
    return Error{ExitCode::kUsage, fmt::format("'{}' is an expression, not one topic", topic)};
  }
  const auto partition = parse_integer(number, 0, std::numeric_limits<std::int32_t>::max());
  if (!partition.ok()) {
    return Error{ExitCode::kUsage, fmt::format("'{}' is not the number of a partition", number)};
  }
  return TopicPartition{std::string(topic), static_cast<std::int32_t>(partition.value())};
}

Result<Offset> parse_offset(std::string_view text) {
  const auto offset = parse_integer(text, 0, kOffsetMax);
  if (!offset.ok()) {
    return Error{ExitCode::kUsage,
                 fmt::format("'{}' is not an offset, a whole number from 0 on", text)};
  }
  return offset.value();
}

}  // namespace

Status check_topic(std::string_view name) {
  if (name.starts_with('^')) {
    try {
      const std::regex pattern(std::string(name), std::regex::extended);
    } catch (const std::regex_error& error) {
      return Error{ExitCode::kUsage,
                   fmt::format("'{}' is not a regular expression: {}", name, error.what())};
    }
    return {};
  }
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (name.empty() || name.size() > kTopicBytesMax || name == "." || name == ".." ||
      !std::all_of(name.begin(), name.end(), is_allowed)) {
    return Error{
        ExitCode::kUsage,
        fmt::format("'{}' is not a topic's name: 1 to {} letters, digits, '.', '_' and '-'", name,
                    kTopicBytesMax)};
  }
  return {};
}

Result<Place> parse_place(std::string_view text) {
  for (const Spelling& spelling : spellings()) {
    if (text == spelling.word) {
      return spelling.place;
    }
  }
  if (text.starts_with("@-")) {
    KS_TRY_VALUE(duration, parse_duration(text.substr(2)));
    return Place(Ago{duration});
  }
  if (text.starts_with('@')) {
    KS_TRY_VALUE(time, parse_time(text.substr(1)));
    return Place(AtTime{time});
  }
  if (text.starts_with('-')) {
    const auto count = parse_integer(text.substr(1), 1, kOffsetMax);
    return count.ok() ? Result<Place>(LastRecords{count.value()}) : Result<Place>(bad_place(text));
  }
  OffsetMap offsets;
  for (const std::string_view part : split_list(text, ',')) {
    const auto fields = split_list(part, ':');
    if (fields.size() != 3) {
      return bad_place(text);
    }
    KS_TRY_VALUE(partition, parse_partition(fields[0], fields[1]));
    KS_TRY_VALUE(offset, parse_offset(fields[2]));
    if (!offsets.emplace(partition, offset).second) {
      return Error{ExitCode::kUsage,
                   fmt::format("'{}' names partition {} twice", text, to_string(partition))};
    }
  }
  return Place(std::move(offsets));
}

Result<OffsetRange> parse_range(std::string_view text) {
  const auto fields = split_list(text, ':');
  if (fields.size() != 4) {
    return Error{ExitCode::kUsage, fmt::format("'{}' is not TOPIC:PARTITION:FROM:UNTIL", text)};
  }
  KS_TRY_VALUE(partition, parse_partition(fields[0], fields[1]));
  KS_TRY_VALUE(from, parse_offset(fields[2]));
  KS_TRY_VALUE(until, parse_offset(fields[3]));
  if (from > until) {
    return Error{ExitCode::kUsage, fmt::format("'{}' begins behind its end", text)};
  }
  return OffsetRange{partition, from, until};
}

}  // namespace kstream

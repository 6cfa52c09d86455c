#include "checkpoint/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/parse.h"
#include "checkpoint/json.h"
#include "checkpoint/sealed_text.h"

namespace kstream {
namespace {

constexpr std::string_view kTitle = "kstream-checkpoint 1";

Error broken(std::string rule) {
  return Error{ExitCode::kData, std::move(rule)};
}

Json to_json(const OffsetMap& offsets) {
  Json topics = Json::object();
  for (const auto& [partition, offset] : offsets) {
    topics[partition.topic][std::to_string(partition.partition)] = offset;
  }
  return topics;
}

Json to_json(const BatchPlan& intent) {
  Json ranges = Json::array();
  for (const OffsetRange& range : intent.ranges) {
    ranges.push_back({range.partition.topic, range.partition.partition, range.from, range.until});
  }
  Json json;
  json["batch"] = intent.id.value_or(0);
  json["time_ms"] = intent.time_ms;
  json["ranges"] = std::move(ranges);
  return json;
}

Result<std::int32_t> partition_number(std::string_view text) {
  const auto number = parse_integer(text, 0, std::numeric_limits<std::int32_t>::max());
  if (!number.ok()) {
    return broken(fmt::format("'{}' is not the number of a partition", text));
  }
  return static_cast<std::int32_t>(number.value());
}

Result<OffsetMap> offsets_from(const Json& topics) {
  OffsetMap offsets;
  for (const auto& [topic, partitions] : topics.items()) {
    if (!partitions.is_object()) {
      return broken(fmt::format("the offsets of topic '{}' are not an object", topic));
    }
    for (const auto& [name, value] : partitions.items()) {
      KS_TRY_VALUE(partition, partition_number(name));
      KS_TRY_VALUE(offset, number(value, "next"));
      offsets[{topic, partition}] = offset;
    }
  }
  return offsets;
}

Result<Committed> committed_from(const Json& json) {
  Committed committed;
  KS_TRY_VALUE(batch, number_field(json, "batch"));
  KS_TRY_VALUE(time_ms, number_field(json, "time_ms"));
  KS_TRY_VALUE(topics, object_field(json, "next"));
  KS_TRY_VALUE(next, offsets_from(*topics));
  return Committed{batch, time_ms, std::move(next)};
}

Result<OffsetRange> range_from(const Json& json) {
  if (!json.is_array() || json.size() != 4 || !json[0].is_string()) {
    return broken("a range of the intent is not [topic, partition, from, until]");
  }
  KS_TRY_VALUE(partition, number(json[1], "partition"));
  KS_TRY_VALUE(from, number(json[2], "from"));
  KS_TRY_VALUE(until, number(json[3], "until"));
  if (partition > std::numeric_limits<std::int32_t>::max()) {
    return broken(fmt::format("'{}' is not the number of a partition", partition));
  }
  return OffsetRange{
      {json[0].get<std::string>(), static_cast<std::int32_t>(partition)}, from, until};
}

Result<BatchPlan> intent_from(const Json& json) {
  BatchPlan intent;
  KS_TRY_VALUE(batch, number_field(json, "batch"));
  KS_TRY_VALUE(time_ms, number_field(json, "time_ms"));
  const auto ranges = json.find("ranges");
  if (ranges == json.end() || !ranges->is_array()) {
    return broken("'ranges' is missing or not an array");
  }
  intent.id = batch;
  intent.time_ms = time_ms;
  for (const Json& one : *ranges) {
    KS_TRY_VALUE(range, range_from(one));
    intent.ranges.push_back(std::move(range));
  }
  return intent;
}

Status check_intent(const BatchPlan& intent, const Committed& committed) {
  if (*intent.id != committed.batch + 1) {
    return broken(fmt::format("the intent is batch {}, after committed batch {}", *intent.id,
                              committed.batch));
  }
  if (intent.time_ms <= committed.time_ms) {
    return broken(fmt::format("the intent's time {} is not after the committed batch's, {}",
                              intent.time_ms, committed.time_ms));
  }
  auto next = committed.next.begin();
  for (const OffsetRange& range : intent.ranges) {
    if (next == committed.next.end() || next->first != range.partition) {
      return broken(
          fmt::format("the intent has a range of {}, which is not the next of the "
                      "committed partitions",
                      to_string(range.partition)));
    }
    if (range.from != next->second) {
      return broken(fmt::format("the intent of {} begins at {}, not at the committed {}",
                                to_string(range.partition), range.from, next->second));
    }
    if (range.until < range.from) {
      return broken(fmt::format("the intent's range {} ends before it begins", to_string(range)));
    }
    ++next;
  }
  if (next != committed.next.end()) {
    return broken(fmt::format("the intent has no range of {}", to_string(next->first)));
  }
  if (std::all_of(intent.ranges.begin(), intent.ranges.end(),
                  [](const OffsetRange& range) { return range.is_empty(); })) {
    return broken("all ranges of the intent are empty");
  }
  return {};
}

}  // namespace

std::string encode(const Checkpoint& checkpoint) {
  Json committed;
  committed["batch"] = checkpoint.committed.batch;
  committed["time_ms"] = checkpoint.committed.time_ms;
  committed["next"] = to_json(checkpoint.committed.next);
  Json json;
  json["stream"] = checkpoint.stream;
  json["generation"] = checkpoint.generation;
  json["committed"] = std::move(committed);
  if (checkpoint.intent) {
    json["intent"] = to_json(*checkpoint.intent);
  }
  return seal(kTitle, json.dump());
}

Result<Checkpoint> decode_checkpoint(std::string_view text) {
  KS_TRY_VALUE(line, unseal(kTitle, text));
  KS_TRY_VALUE(json, parse_object(line));
  Checkpoint checkpoint;
  KS_TRY_VALUE(stream, text_field(json, "stream"));
  KS_TRY_VALUE(generation, number_field(json, "generation"));
  KS_TRY_VALUE(committed_json, object_field(json, "committed"));
  KS_TRY_VALUE(committed, committed_from(*committed_json));
  checkpoint.stream = std::move(stream);
  checkpoint.generation = generation;
  checkpoint.committed = std::move(committed);
  if (json.contains("intent")) {
    KS_TRY_VALUE(intent_json, object_field(json, "intent"));
    KS_TRY_VALUE(intent, intent_from(*intent_json));
    KS_TRY(check_intent(intent, checkpoint.committed));
    checkpoint.intent = std::move(intent);
  }
  if (encode(checkpoint) != text) {
    return broken("it has fields that are unknown, given twice or in another order");
  }
  return checkpoint;
}

}  // namespace kstream

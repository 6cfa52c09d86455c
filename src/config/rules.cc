#include "config/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

namespace kstream {
namespace {

Error usage(std::string text) {
  return Error{ExitCode::kUsage, std::move(text)};
}

Status complete_direct(const Settings& settings) {
  const char* other = !settings.threads_of.empty() ? "--topic NAME=THREADS"
                      : settings.has_wal           ? "--wal and --no-wal"
                      : settings.max_rate          ? "--max-rate"
                                                   : nullptr;
  if (other != nullptr) {
    return usage(fmt::format("{}: only with --mode receiver", other));
  }
  return {};
}

Status complete_receiver(Settings& settings) {
  if (!settings.is_interval_chosen) {
    settings.interval = std::chrono::milliseconds(1000);
  }
  settings.group = settings.group.value_or("kstream");
  settings.has_wal = settings.has_wal.value_or(settings.state_dir.has_value());
  const bool is_end_known = !settings.until || settings.until == Place(Latest{});
  const char* other = !settings.ranges.empty()          ? "--range"
                      : settings.is_once                ? "--once"
                      : settings.max_rate_per_partition ? "--max-rate-per-partition"
                      : !is_end_known                   ? "--until other than latest"
                      : std::holds_alternative<OffsetMap>(settings.from)
                          ? "--from TOPIC:PARTITION:OFFSET"
                          : nullptr;
  if (other != nullptr) {
    return usage(
        fmt::format("{}: only with --mode direct; a group shares out its partitions and "
                    "goes on where it was",
                    other));
  }
  if (*settings.has_wal && !settings.state_dir) {
    return usage("--wal needs a place for the log: give one with --state-dir DIR");
  }
  if (settings.from == Place(GroupPosition{})) {
    settings.from = Latest{};  // what the group has committed always comes first
  }
  for (const auto& [name, value] : settings.client.properties) {
    if (name == "partition.assignment.strategy" && value.find("cooperative") != value.npos) {
      return usage(
          "property 'partition.assignment.strategy': kstream's members rebalance eagerly; "
          "leave it out");
    }
  }
  return {};
}

// What is written there would be counted, and written again.
Status check_output_topics(const Settings& settings) {
  for (const OutputTarget& output : settings.outputs) {
    for (const std::string& topic : settings.topics) {
      const bool is_read =
          topic.starts_with('^')
              ? std::regex_search(output.place, std::regex(topic, std::regex::extended))
              : topic == output.place;
      if (output.kind == OutputKind::kKafka && is_read) {
        return usage(fmt::format(
            "--output kafka:{}: the topic is read, too (--topic {}); its counts would be counted. "
            "Write to another one",
            output.place, topic));
      }
    }
  }
  return {};
}

Status complete_wordcount(Settings& settings) {
  for (const OffsetRange& range : settings.ranges) {
    const std::string& topic = range.partition.topic;
    if (std::find(settings.topics.begin(), settings.topics.end(), topic) == settings.topics.end()) {
      settings.topics.push_back(topic);
    }
  }
  if (settings.topics.empty()) {
    return Error{ExitCode::kUsage, "no topic: give one with --topic NAME"};
  }
  if (!settings.ranges.empty() && (settings.until || settings.is_once)) {
    return Error{ExitCode::kUsage,
                 "--range says where to start and to stop: it does not go with --until, --exit or "
                 "--once"};
  }
  if (settings.mode == Mode::kReceiver) {
    KS_TRY(complete_receiver(settings));
  } else {
    KS_TRY(complete_direct(settings));
  }
  if (settings.zookeeper && !settings.group) {
    return Error{ExitCode::kUsage,
                 "--zookeeper keeps the positions of a group: name it with --group NAME"};
  }
  if (settings.from == Place(GroupPosition{}) && !settings.group) {
    return Error{ExitCode::kUsage,
                 "--from committed begins where a group is: name it with --group NAME"};
  }
  if (settings.state_dir && settings.is_broker_embedded) {
    return Error{ExitCode::kUsage,
                 "--state-dir does not go with --brokers embedded: that broker forgets"};
  }
  if (settings.state_dir && !settings.ranges.empty()) {
    return Error{ExitCode::kUsage,
                 "--range reads exactly these records and keeps no position: it does not go with "
                 "--state-dir"};
  }
  if (settings.is_once && !settings.until) {
    settings.until = Latest{};
  }
  if (settings.feed) {
    if (!settings.is_broker_embedded) {
      return Error{ExitCode::kUsage,
                   "--feed goes with --brokers embedded only; to send lines to a real broker use "
                   "kstream produce"};
    }
    if (settings.topics.size() != 1 || settings.topics[0].starts_with('^')) {
      return Error{ExitCode::kUsage, "--feed sends to one topic: give exactly one name"};
    }
  }
  if (settings.feed == "-" && settings.stop_words == "-") {
    return usage("--feed and --stopwords cannot both be standard input: give one of them a file");
  }
  if (settings.outputs.empty()) {
    settings.outputs.push_back({});
  }
  KS_TRY(check_output_topics(settings));
  if (settings.name.empty()) {
    settings.name = fmt::format("{}", fmt::join(settings.topics, "+"));
  }
  const bool is_block = settings.presentation.format == OutputFormat::kPprint ||
                        settings.presentation.format == OutputFormat::kScala;
  if (is_block && !settings.is_top_chosen) {
    settings.presentation.top = 10;
  }
  return {};
}

Status check_adopt(const Settings& settings) {
  if (!settings.is_adopted_from_sink) {
    return usage("state adopt makes a state of what the outputs hold: say so with --from-sink");
  }
  if (!settings.state_dir) {
    return usage("no state directory: say with --state-dir DIR where it is to be");
  }
  if (settings.is_broker_embedded || !settings.ranges.empty()) {
    return usage("state adopt is about a stream: name its brokers and no --range");
  }
  if (settings.mode != Mode::kDirect) {
    return usage(
        "an output holds where the stream was, which is a direct stream's state: say --mode "
        "direct, run it once with --exit, then make it a receiver's with kstream state convert");
  }
  if (std::none_of(settings.outputs.begin(), settings.outputs.end(),
                   [](const OutputTarget& output) { return output.kind != OutputKind::kStdout; })) {
    return usage("standard output holds nothing: name the stream's outputs with --output");
  }
  return {};
}

}  // namespace

Status complete(Settings& settings) {
  if (settings.command == Command::kBroker) {
    return {};
  }
  if (settings.command == Command::kState) {
    if (settings.state_action == StateAction::kConvert && settings.client.brokers.empty()) {
      return usage(
          "state convert asks Kafka which partitions there are and where the group is: "
          "give it with --brokers HOST:PORT");
    }
    return {};
  }
  if (settings.command == Command::kOffsets) {
    return settings.state_dir
               ? Status()
               : Error{ExitCode::kUsage, "no state directory: give it with --state-dir DIR"};
  }
  if (settings.client.brokers.empty() && !settings.is_broker_embedded) {
    return Error{
        ExitCode::kUsage,
        "no brokers: give them with --brokers HOST:PORT (or -X metadata.broker.list=HOST:PORT "
        "or -X bootstrap.servers=HOST:PORT); --brokers embedded needs no Kafka"};
  }
  if (settings.command == Command::kWordcount) {
    return complete_wordcount(settings);
  }
  if (settings.command == Command::kAdopt) {
    KS_TRY(complete_wordcount(settings));
    return check_adopt(settings);
  }
  if (settings.topics.size() != 1 || settings.topics[0].starts_with('^')) {
    return Error{ExitCode::kUsage,
                 "produce sends to one topic: give exactly one with --topic NAME"};
  }
  if (settings.is_broker_embedded) {
    return Error{ExitCode::kUsage,
                 "produce needs a broker that stays: start one with kstream broker, or use "
                 "kstream wordcount --brokers embedded --feed -"};
  }
  return {};
}

}  // namespace kstream

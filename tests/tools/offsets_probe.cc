// offsets_probe publish|read kafka|zookeeper ADDRESS GROUP TOPIC:PARTITION[:OFFSET]... [-]:
// publishes the positions, or prints those that are there as TOPIC:PARTITION:OFFSET. With `-` as
// the last argument it does so again, with the same connection, for each line of standard input
// (each a list like that of the arguments), and answers each with a line: `published`, the
// positions, or `error CODE [transient]: TEXT`. KSTREAM_LOG=debug shows the log.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/parse.h"
#include "offsets/kafka_offsets.h"
#include "offsets/zookeeper_offsets.h"
#include "os/clock.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

Result<std::unique_ptr<OffsetStore>> open_store(const std::string& kind, const std::string& address,
                                                const std::string& group) {
  if (kind == "kafka") {
    KS_TRY_VALUE(store, KafkaOffsets::create({.brokers = address, .properties = {}}, group));
    return std::unique_ptr<OffsetStore>(std::move(store));
  }
  KS_TRY_VALUE(store, ZooKeeperOffsets::create(address, group));
  return std::unique_ptr<OffsetStore>(std::move(store));
}

OffsetMap positions_of(const std::vector<std::string>& words) {
  OffsetMap positions;
  for (const std::string& word : words) {
    const auto parts = split_list(word, ':');
    const std::string offset(parts.size() > 2 ? parts[2] : "0");
    positions[{std::string(parts[0]), std::atoi(std::string(parts.at(1)).c_str())}] =
        std::strtoll(offset.c_str(), nullptr, 10);
  }
  return positions;
}

Result<std::string> act(OffsetStore& store, bool is_publish, const OffsetMap& positions) {
  if (is_publish) {
    KS_TRY(store.publish(positions));
    return std::string("published");
  }
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, offset] : positions) {
    partitions.push_back(partition);
  }
  KS_TRY_VALUE(found, store.read(partitions));
  std::string text;
  for (const auto& [partition, offset] : found) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", to_string(partition), offset);
  }
  return text.empty() ? std::string("none") : text;
}

int report(const Result<std::string>& result, std::int64_t took_ms) {
  if (result.ok()) {
    std::cout << result.value() << std::endl;
    return 0;
  }
  const Error& error = result.error();
  std::cout << "error " << static_cast<int>(error.code) << (error.is_transient ? " transient" : "")
            << ": " << error.text << std::endl;
  std::cerr << "took " << took_ms << " ms" << std::endl;
  return static_cast<int>(error.code);
}

int run(std::vector<std::string> words) {
  const auto store = open_store(words[1], words[2], words[3]);
  if (!store.ok()) {
    return report(store.error(), 0);
  }
  const bool is_publish = words[0] == "publish";
  const bool is_conversation = words.back() == "-";
  if (is_conversation) {
    words.pop_back();
  }
  SystemClock clock;
  std::vector<std::string> named(words.begin() + 4, words.end());
  int code = 0;
  for (std::string line; true;) {
    const std::int64_t started_ms = clock.steady_ms();
    const auto result = act(*store.value(), is_publish, positions_of(named));
    code = report(result, clock.steady_ms() - started_ms);
    if (!is_conversation || !std::getline(std::cin, line)) {
      return code;
    }
    named.clear();
    for (const std::string_view word : split_list(line, ' ')) {
      named.emplace_back(word);
    }
  }
}

}  // namespace
}  // namespace kstream

int main(int argc, char** argv) {
  if (argc < 6) {
    std::cerr << "usage: offsets_probe publish|read kafka|zookeeper ADDRESS GROUP "
                 "TOPIC:PARTITION[:OFFSET]... [-]\n";
    return 64;
  }
  const char* level = std::getenv("KSTREAM_LOG");
  kstream::log::start(level != nullptr ? kstream::log::Level::kDebug
                                       : kstream::log::Level::kWarning);
  return kstream::run({argv + 1, argv + argc});
}

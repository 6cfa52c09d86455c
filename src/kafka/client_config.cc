#include "kafka/client_config.h"

#include <fmt/format.h>

#include <array>

#include "kafka/client.h"

namespace kstream::kafka {
namespace {

struct Refusal {
  std::string_view name;
  std::string_view reason;
};

constexpr std::string_view kOwnPosition = "kstream keeps the position itself";
constexpr std::string_view kReadExactly =
    "kstream reads exactly the planned offsets; a silent reset would lose or repeat records";
constexpr Refusal kRefused[] = {
    {"enable.auto.commit", kOwnPosition},
    {"auto.commit.enable", kOwnPosition},
    {"enable.auto.offset.store", kOwnPosition},
    {"group.id", kOwnPosition},
    {"enable.partition.eof", kReadExactly},
    {"auto.offset.reset", kReadExactly},
    {"check.crcs", "records are always checked"},
    {"isolation.level", "use --read-uncommitted"},
    {"bootstrap.servers", "use --brokers"},
    {"metadata.broker.list", "use --brokers"},
    {"allow.auto.create.topics", "a reader never creates what it looks for"},
    {"plugin.library.paths", "it would load code"},
    {"test.mock.num.brokers", "use --brokers embedded"},
    {"test.mock.broker.rtt", "use --brokers embedded"},
    {"enable.idempotence", "it is always on"},
    {"transactional.id", "it is made of --name, so that a stream has one writer"},
};

}  // namespace

Status check_property(const std::string& name, const std::string& value) {
  for (const Refusal& refusal : kRefused) {
    if (name == refusal.name) {
      return Error{ExitCode::kUsage,
                   fmt::format("property '{}' cannot be set: {}", name, refusal.reason)};
    }
  }
  std::array<char, 512> reason{};
  const ConfHandle conf(rd_kafka_conf_new());
  if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason.data(), reason.size()) !=
      RD_KAFKA_CONF_OK) {
    return Error{ExitCode::kUsage, fmt::format("property '{}={}' is not one that librdkafka {} "
                                               "takes: {}",
                                               name, value, rd_kafka_version_str(), reason.data())};
  }
  return {};
}

}  // namespace kstream::kafka

#include "kafka/embedded_broker.h"

#include <fmt/format.h>

#include <utility>

#include "kafka/client.h"

// clang-format off
#include <librdkafka/rdkafka_mock.h>  // only after rdkafka.h
// clang-format on

namespace kstream::kafka {
namespace {

constexpr std::int16_t kListOffsetsKey = 2;
// From version 4 on the mock of librdkafka 2.0.2 answers in a form that newer clients misread.
constexpr std::int16_t kListOffsetsVersionMax = 3;

}  // namespace

struct EmbeddedBroker::Cluster {
  std::unique_ptr<Client> host;  // lends its log and its threads
  std::unique_ptr<rd_kafka_mock_cluster_t, Destroyer<rd_kafka_mock_cluster_destroy>> mock;
};

Result<std::unique_ptr<EmbeddedBroker>> EmbeddedBroker::start() {
  auto cluster = std::make_unique<Cluster>();
  KS_TRY_VALUE(host,
               Client::create(Role::kProducer, ClientConfig{}, {{"client.id", "kstream-broker"}}));
  cluster->host = std::move(host);
  cluster->mock.reset(rd_kafka_mock_cluster_new(cluster->host->get(), 1));
  if (cluster->mock == nullptr) {
    return Error{ExitCode::kOsError,
                 "embedded broker: cannot listen on 127.0.0.1. Nothing was started. Check the "
                 "limits on open files and threads, or use a broker of its own with --brokers."};
  }
  rd_kafka_mock_set_apiversion(cluster->mock.get(), kListOffsetsKey, 0, kListOffsetsVersionMax);
  return std::unique_ptr<EmbeddedBroker>(new EmbeddedBroker(std::move(cluster)));
}

EmbeddedBroker::EmbeddedBroker(std::unique_ptr<Cluster> cluster)
    : cluster_(std::move(cluster)),
      bootstrap_(rd_kafka_mock_cluster_bootstraps(cluster_->mock.get())) {}

EmbeddedBroker::~EmbeddedBroker() = default;

Status EmbeddedBroker::create_topic(const std::string& name, std::int32_t partitions) {
  const rd_kafka_resp_err_t error =
      rd_kafka_mock_topic_create(cluster_->mock.get(), name.c_str(), partitions, 1);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Error{ExitCode::kUsage, fmt::format("topic '{}' with {} partitions: the embedded broker "
                                               "does not take it: {}. Nothing was started.",
                                               name, partitions, rd_kafka_err2str(error))};
  }
  return {};
}

}  // namespace kstream::kafka

// topics BROKERS create TOPIC PARTITIONS REPLICATION [KEY=VALUE]...
// topics BROKERS grow TOPIC PARTITIONS
// topics BROKERS delete TOPIC
// Returns when the broker that is asked shows the change. Kafka's own kafka-topics.sh does the same
// with 1.3 s of a processor for each call.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "kafka/client.h"
#include "kafka/cluster_view.h"
#include "kafka/handles.h"

namespace {

using namespace kstream::kafka;

constexpr int kTimeoutMs = 30'000;

[[noreturn]] void fail(const char* what, const char* why) {
  std::fprintf(stderr, "topics: %s: %s\n", what, why);
  std::exit(1);
}

template <class T>
T value_of(kstream::Result<T> result) {
  if (!result.ok()) {
    fail("no client", result.error().text.c_str());
  }
  return std::move(result.value());
}

class Admin {
 public:
  explicit Admin(const char* brokers) {
    const ClientConfig config{brokers, {}, false};
    client_ = value_of(Client::create(Role::kProducer, config, {}));
    view_.emplace(value_of(ClusterView::create(config)));
    queue_.reset(rd_kafka_queue_new(client_->get()));
  }

  void create(const char* name, int partitions, int replication, char** configs) {
    const std::unique_ptr<rd_kafka_NewTopic_t, Destroyer<rd_kafka_NewTopic_destroy>> topic(
        rd_kafka_NewTopic_new(name, partitions, replication, nullptr, 0));
    for (; *configs != nullptr; ++configs) {
      const std::string config = *configs;
      const std::size_t equals = config.find('=');
      rd_kafka_NewTopic_set_config(topic.get(), config.substr(0, equals).c_str(),
                                   config.substr(equals + 1).c_str());
    }
    rd_kafka_NewTopic_t* one = topic.get();
    rd_kafka_CreateTopics(client_->get(), &one, 1, nullptr, queue_.get());
    const EventHandle event = answer("create");
    check(rd_kafka_CreateTopics_result_topics, rd_kafka_event_CreateTopics_result(event.get()));
    wait_for(name, static_cast<std::size_t>(partitions));
  }

  void grow(const char* name, int partitions) {
    char reason[512];
    const std::unique_ptr<rd_kafka_NewPartitions_t, Destroyer<rd_kafka_NewPartitions_destroy>> more(
        rd_kafka_NewPartitions_new(name, static_cast<std::size_t>(partitions), reason,
                                   sizeof reason));
    rd_kafka_NewPartitions_t* one = more.get();
    rd_kafka_CreatePartitions(client_->get(), &one, 1, nullptr, queue_.get());
    const EventHandle event = answer("grow");
    check(rd_kafka_CreatePartitions_result_topics,
          rd_kafka_event_CreatePartitions_result(event.get()));
    wait_for(name, static_cast<std::size_t>(partitions));
  }

  void remove(const char* name) {
    const std::unique_ptr<rd_kafka_DeleteTopic_t, Destroyer<rd_kafka_DeleteTopic_destroy>> topic(
        rd_kafka_DeleteTopic_new(name));
    rd_kafka_DeleteTopic_t* one = topic.get();
    rd_kafka_DeleteTopics(client_->get(), &one, 1, nullptr, queue_.get());
    const EventHandle event = answer("delete");
    check(rd_kafka_DeleteTopics_result_topics, rd_kafka_event_DeleteTopics_result(event.get()));
    wait_for(name, 0);
  }

 private:
  EventHandle answer(const char* what) {
    EventHandle event(rd_kafka_queue_poll(queue_.get(), kTimeoutMs));
    if (event == nullptr) {
      fail(what, "no answer");
    }
    if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      fail(what, rd_kafka_event_error_string(event.get()));
    }
    return event;
  }

  template <class TopicsOf, class ResultOf>
  void check(TopicsOf topics_of, const ResultOf* result) {
    std::size_t count = 0;
    const rd_kafka_topic_result_t** results = topics_of(result, &count);
    for (std::size_t i = 0; i < count; ++i) {
      if (rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail(rd_kafka_topic_result_name(results[i]),
             rd_kafka_topic_result_error_string(results[i]));
      }
    }
  }

  // Until it has so many partitions, with leaders: only those say where a log ends.
  void wait_for(const std::string& name, std::size_t partitions) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs);
    while (true) {
      const auto found = view_->partitions({&name, 1}, MissingTopic::kLeftOut);
      if (found.ok() && found.value().size() == partitions && view_->log_ends(found.value()).ok()) {
        return;
      }
      if (std::chrono::steady_clock::now() > until) {
        fail(name.c_str(), "the change is not seen");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  std::unique_ptr<Client> client_;
  std::optional<ClusterView> view_;
  QueueHandle queue_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view action = argc > 3 ? argv[2] : "";
  if (action == "create" && argc > 5) {
    Admin(argv[1]).create(argv[3], std::atoi(argv[4]), std::atoi(argv[5]), argv + 6);
  } else if (action == "grow" && argc == 5) {
    Admin(argv[1]).grow(argv[3], std::atoi(argv[4]));
  } else if (action == "delete" && argc == 4) {
    Admin(argv[1]).remove(argv[3]);
  } else {
    std::fprintf(stderr,
                 "usage: topics BROKERS create TOPIC PARTITIONS REPLICATION [KEY=VALUE]...\n"
                 "       topics BROKERS grow TOPIC PARTITIONS\n"
                 "       topics BROKERS delete TOPIC\n");
    return 64;
  }
  return 0;
}

// topics BROKERS create TOPIC PARTITIONS REPLICATION [KEY=VALUE]...
// topics BROKERS grow TOPIC PARTITIONS
// topics BROKERS delete TOPIC
// Returns when the broker that is asked shows the change. Kafka's own kafka-topics.sh does the same
// with 1.3 s of a processor for each call.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "kafka/handles.h"

namespace {

using namespace kstream::kafka;

constexpr int kTimeoutMs = 30'000;

[[noreturn]] void fail(const char* what, const char* why) {
  std::fprintf(stderr, "topics: %s: %s\n", what, why);
  std::exit(1);
}

class Admin {
 public:
  explicit Admin(const char* brokers) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    char reason[512];
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, reason, sizeof reason);
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason));
    if (client_ == nullptr) {
      fail("no client", reason);
    }
    queue_.reset(rd_kafka_queue_new(client_.get()));
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
    rd_kafka_CreateTopics(client_.get(), &one, 1, nullptr, queue_.get());
    const EventHandle event = answer("create");
    check(rd_kafka_CreateTopics_result_topics, rd_kafka_event_CreateTopics_result(event.get()));
    wait_for(name, partitions);
  }

  void grow(const char* name, int partitions) {
    char reason[512];
    const std::unique_ptr<rd_kafka_NewPartitions_t, Destroyer<rd_kafka_NewPartitions_destroy>> more(
        rd_kafka_NewPartitions_new(name, static_cast<std::size_t>(partitions), reason,
                                   sizeof reason));
    rd_kafka_NewPartitions_t* one = more.get();
    rd_kafka_CreatePartitions(client_.get(), &one, 1, nullptr, queue_.get());
    const EventHandle event = answer("grow");
    check(rd_kafka_CreatePartitions_result_topics,
          rd_kafka_event_CreatePartitions_result(event.get()));
    wait_for(name, partitions);
  }

  void remove(const char* name) {
    const std::unique_ptr<rd_kafka_DeleteTopic_t, Destroyer<rd_kafka_DeleteTopic_destroy>> topic(
        rd_kafka_DeleteTopic_new(name));
    rd_kafka_DeleteTopic_t* one = topic.get();
    rd_kafka_DeleteTopics(client_.get(), &one, 1, nullptr, queue_.get());
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

  // Until it has so many partitions with a leader.
  void wait_for(const char* name, int partitions) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs);
    while (led_partitions(name) != partitions) {
      if (std::chrono::steady_clock::now() > until) {
        fail(name, "the change is not seen");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  int led_partitions(const char* name) {
    const rd_kafka_metadata_t* got = nullptr;
    // All topics: a broker that is asked for one may make it.
    if (rd_kafka_metadata(client_.get(), 1, nullptr, &got, kTimeoutMs) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      return -1;
    }
    const MetadataHandle metadata(got);
    int led = 0;
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      const rd_kafka_metadata_topic_t& topic = metadata->topics[i];
      for (int j = 0; std::strcmp(topic.topic, name) == 0 && j < topic.partition_cnt; ++j) {
        led += topic.partitions[j].leader >= 0 ? 1 : 0;
      }
    }
    return led;
  }

  std::unique_ptr<rd_kafka_t, Destroyer<rd_kafka_destroy>> client_;
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

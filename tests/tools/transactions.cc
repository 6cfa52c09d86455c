// transactions BROKERS TOPIC ID commit:WORD,WORD... abort:WORD,... hold:GROUP: one transaction
// each, on partition 0 of the topic. For tests that need control records, aborted records, and
// positions of a group that a transaction is about to change: that one stays open until there is
// standard input, and is aborted.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/parse.h"
#include "kafka/handles.h"

namespace {

void check(rd_kafka_error_t* error, const char* what) {
  if (error != nullptr) {
    std::fprintf(stderr, "transactions: %s: %s\n", what, rd_kafka_error_string(error));
    std::exit(1);
  }
}

void hold(rd_kafka_t* producer, const char* topic, const std::string& group, int timeout_ms) {
  const kstream::kafka::ListHandle list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic, 0)->offset = 1;
  rd_kafka_consumer_group_metadata_t* metadata =
      rd_kafka_consumer_group_metadata_new(group.c_str());
  check(rd_kafka_send_offsets_to_transaction(producer, list.get(), metadata, timeout_ms), "hold");
  rd_kafka_consumer_group_metadata_destroy(metadata);
  std::printf("held\n");
  std::fflush(stdout);
  std::getchar();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(
        stderr, "usage: transactions BROKERS TOPIC ID commit:WORD,... abort:WORD,... hold:GROUP\n");
    return 64;
  }
  constexpr int kTimeoutMs = 30'000;
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char reason[512];
  rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], reason, sizeof reason);
  rd_kafka_conf_set(conf, "transactional.id", argv[3], reason, sizeof reason);
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
  if (producer == nullptr) {
    std::fprintf(stderr, "transactions: %s\n", reason);
    return 1;
  }
  check(rd_kafka_init_transactions(producer, kTimeoutMs), "init");
  const kstream::kafka::TopicHandle topic(rd_kafka_topic_new(producer, argv[2], nullptr));
  for (int i = 4; i < argc; ++i) {
    const std::string_view text = argv[i];
    const std::size_t colon = text.find(':');
    check(rd_kafka_begin_transaction(producer), "begin");
    const std::string_view kind = text.substr(0, colon);
    if (kind == "hold") {
      hold(producer, argv[2], std::string(text.substr(colon + 1)), kTimeoutMs);
    } else {
      for (const std::string_view word : kstream::split_list(text.substr(colon + 1), ',')) {
        rd_kafka_produce(topic.get(), 0, RD_KAFKA_MSG_F_COPY, const_cast<char*>(word.data()),
                         word.size(), nullptr, 0, nullptr);
      }
      rd_kafka_flush(producer, kTimeoutMs);
    }
    check(kind == "commit" ? rd_kafka_commit_transaction(producer, kTimeoutMs)
                           : rd_kafka_abort_transaction(producer, kTimeoutMs),
          argv[i]);
  }
  return 0;
}

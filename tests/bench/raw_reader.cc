// raw_reader BROKERS TOPIC: reads a topic to the end that it has now and only sums the bytes of the
// values: what librdkafka can do here, and so what kstream is measured against.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kafka/handles.h"

using namespace kstream::kafka;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: raw_reader BROKERS TOPIC\n");
    return 64;
  }
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char reason[512];
  const char* properties[][2] = {
      {"bootstrap.servers", argv[1]},         {"group.id", "raw"},
      {"enable.auto.commit", "false"},        {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},       {"check.crcs", "true"},
      {"queued.min.messages", "1000000"},     {"queued.max.messages.kbytes", "1000000"},
      {"fetch.message.max.bytes", "1048576"}, {"fetch.wait.max.ms", "100"}};
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK) {
      std::fprintf(stderr, "raw_reader: %s\n", reason);
      return 1;
    }
  }
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
  if (client == nullptr) {
    std::fprintf(stderr, "raw_reader: %s\n", reason);
    return 1;
  }
  rd_kafka_poll_set_consumer(client);
  const TopicHandle topic(rd_kafka_topic_new(client, argv[2], nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(client, 0, topic.get(), &metadata, 10'000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    std::fprintf(stderr, "raw_reader: no broker\n");
    return 1;
  }
  const int partitions = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  const ListHandle list(rd_kafka_topic_partition_list_new(partitions));
  for (int i = 0; i < partitions; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), argv[2], i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(client, list.get());
  const QueueHandle queue(rd_kafka_queue_get_consumer(client));
  std::vector<rd_kafka_message_t*> messages(1000);
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  int open = partitions;
  while (open > 0) {
    ssize_t taken = rd_kafka_consume_batch_queue(queue.get(), 0, messages.data(), messages.size());
    if (taken == 0) {
      taken = rd_kafka_consume_batch_queue(queue.get(), 100, messages.data(), 1);
    }
    for (ssize_t i = 0; i < taken; ++i) {
      rd_kafka_message_t* message = messages[static_cast<std::size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        --open;
      } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++records;
        bytes += message->len;
      }
      rd_kafka_message_destroy(message);
    }
  }
  std::printf("%llu records %llu bytes\n", static_cast<unsigned long long>(records),
              static_cast<unsigned long long>(bytes));
  std::fflush(stdout);
  std::_Exit(0);  // closing the client is not what is measured
}

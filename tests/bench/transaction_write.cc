// transaction_write BROKERS TOPIC WORDS TRANSACTIONS: transactions of distinct words, by turns as
// kstream writes them and in a plain loop over librdkafka, without positions; prints the median of
// the milliseconds that one took.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "kafka/transaction_producer.h"

namespace {

constexpr int kTimeoutMs = 30'000;

template <class Write>
double milliseconds(const Write& write) {
  const auto start = std::chrono::steady_clock::now();
  write();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class T>
void check(const T& result) {
  if (!result.ok()) {
    std::fprintf(stderr, "transaction_write: %s\n", result.error().text.c_str());
    std::exit(1);
  }
}

void check(rd_kafka_error_t* error) {
  if (error != nullptr) {
    std::fprintf(stderr, "transaction_write: %s\n", rd_kafka_error_string(error));
    std::exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: transaction_write BROKERS TOPIC WORDS TRANSACTIONS\n");
    return 64;
  }
  kstream::kafka::ClientConfig config;
  config.brokers = argv[1];
  const std::string topic = argv[2];
  std::vector<std::string> words;
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    words.push_back(fmt::format("word{}", i));
  }

  auto created = kstream::kafka::TransactionProducer::create(config, topic, "bench:" + topic);
  check(created);
  const auto ours = [&](int number) {
    kstream::kafka::TransactionProducer& producer = *created.value();
    check(producer.begin({{"batch", std::to_string(number)}, {"time", "2026-01-31T10:00:00Z"}},
                         1'769'853'600'000));
    for (const std::string& word : words) {
      check(producer.send(word, "1"));
    }
    const std::string group = "bench:" + topic;
    check(producer.commit({&group, 1}, {{{topic, 0}, number}}, "1 0123456789abcdef"));
  };

  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char reason[512];
  rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], reason, sizeof reason);
  rd_kafka_conf_set(conf, "transactional.id", ("plain:" + topic).c_str(), reason, sizeof reason);
  rd_kafka_conf_set(conf, "linger.ms", "5", reason, sizeof reason);
  rd_kafka_t* plain = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
  check(rd_kafka_init_transactions(plain, kTimeoutMs));
  const kstream::kafka::TopicHandle plain_topic(rd_kafka_topic_new(plain, argv[2], nullptr));
  const auto by_hand = [&] {
    check(rd_kafka_begin_transaction(plain));
    for (const std::string& word : words) {
      while (rd_kafka_producev(
                 plain, RD_KAFKA_V_RKT(plain_topic.get()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                 RD_KAFKA_V_KEY(word.data(), word.size()),
                 RD_KAFKA_V_VALUE(const_cast<char*>("1"), 1), RD_KAFKA_V_HEADER("batch", "1", 1),
                 RD_KAFKA_V_HEADER("time", "2026-01-31T10:00:00Z", 20),
                 RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_poll(plain, 1);
      }
    }
    check(rd_kafka_commit_transaction(plain, kTimeoutMs));
  };

  std::vector<double> ours_ms;
  std::vector<double> by_hand_ms;
  by_hand();  // the first waits for what the client does not know yet
  for (int i = 0; i < std::atoi(argv[4]); ++i) {
    ours_ms.push_back(milliseconds([&] { ours(i + 1); }));
    by_hand_ms.push_back(milliseconds(by_hand));
  }
  std::printf("%zu words: kstream %.0f ms (the first %.0f ms), by hand %.0f ms\n", words.size(),
              median(ours_ms), ours_ms.front(), median(by_hand_ms));
  return 0;
}

#include "sink/kafka_topic.h"

#include <cstring>

#include "catch.h"
#include "counted_words.h"
#include "kafka/client.h"
#include "kafka/cluster_view.h"
#include "kafka/embedded_broker.h"
#include "kafka/handles.h"
#include "quiet.h"

namespace kstream {
namespace {

constexpr const char* kTopic = "counts";

BatchPlan plan_of(BatchId id, Offset from, Offset until) {
  return {id, 1'514'260'202'000 + id, {{{"test", 0}, from, until}, {{"test", 1}, 7, 7}}};
}

struct Brokers {
  // Positions are those of topics that are there.
  Brokers() { REQUIRE(broker->create_topic("test", 2).ok()); }

  std::unique_ptr<kafka::EmbeddedBroker> broker = kafka::EmbeddedBroker::start().value();
  kafka::ClientConfig client{broker->bootstrap(), {}, false};

  Offset records() const {
    kafka::ClusterView view = kafka::ClusterView::create(client).value();
    const TopicPartition partition{kTopic, 0};
    return view.log_ends({&partition, 1}).value().at(partition);
  }
};

struct Failing final : CountedWords {
  std::uint64_t size() const override { return 2; }
  bool are_kept() const override { return false; }
  Status for_each(const Visit& visit) const override {
    const WordCount word{"word", 1};
    KS_TRY(visit({&word, 1}));
    return Error{ExitCode::kIoError, "the disk"};
  }
};

// Somebody sets the positions of the stream's group.
void set_positions(const Brokers& brokers, const std::string& note) {
  const std::string group = std::string("kstream:stream:") + kTopic;
  const auto client =
      kafka::Client::create(kafka::Role::kConsumer, brokers.client, {{"group.id", group}});
  REQUIRE(client.ok());
  const kafka::ListHandle list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t* one = rd_kafka_topic_partition_list_add(list.get(), "test", 0);
  one->offset = 5;
  one->metadata = strdup(note.c_str());
  one->metadata_size = note.size();
  const rd_kafka_resp_err_t error = rd_kafka_commit(client.value()->get(), list.get(), 0);
  INFO(rd_kafka_err2str(error));
  REQUIRE(error == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void require_written(const Status& written) {
  INFO((written.ok() ? "" : written.error().text));
  REQUIRE(written.ok());
}

// A stream with batches that are acknowledged, and one that has failed.
struct Failed {
  explicit Failed(BatchId acknowledged) : failed(plan_of(acknowledged + 1, acknowledged, 99)) {
    REQUIRE(brokers.broker->create_topic(kTopic, 1).ok());
    for (BatchId id = 1; id <= acknowledged; ++id) {
      require_written(sink.write({plan_of(id, id - 1, id), std::chrono::seconds(1), {}, words}));
    }
    REQUIRE_FALSE(sink.write({failed, std::chrono::seconds(1), {}, Failing()}).ok());
    records = brokers.records();
  }
  Status write_again() { return sink.write({failed, std::chrono::seconds(1), {}, words}); }

  const Brokers brokers;
  const ListedWords words{{{"word", 1}}};
  KafkaTopicSink sink{brokers.client, kTopic, "stream", std::nullopt};
  const BatchPlan failed;
  Offset records = 0;
};

}  // namespace

TEST_CASE("kafka topic: a note says batch and fingerprint") {
  const HeldBatch batch{812, 0x00f86d081884c7d6};
  CHECK(batch_note(batch) == "812 00f86d081884c7d6");
  const auto read = read_batch_note(batch_note(batch));
  REQUIRE(read);
  CHECK(read->id == batch.id);
  CHECK(read->fingerprint == batch.fingerprint);
}

TEST_CASE("kafka topic: what is not exactly a note is none") {
  const std::string note = batch_note({812, ~std::uint64_t{0}});
  for (std::size_t length = 0; length < note.size(); ++length) {
    INFO(length);
    CHECK_FALSE(read_batch_note(note.substr(0, length)));
  }
  for (const char* text : {"812 00f86d081884c7d6 ", " 812 00f86d081884c7d6", "812  0f86d081884c7d6",
                           "0 00f86d081884c7d6", "-1 00f86d081884c7d6", "812 00F86D081884C7D6",
                           "9223372036854775808 00f86d081884c7d6", "0812 00f86d081884c7d6",
                           "7f3c5f8e-3b1d-4b57-9d7c-0a1f3c2b4d5e"}) {
    INFO(text);
    CHECK_FALSE(read_batch_note(text));
  }
}

TEST_CASE("kafka topic: a batch is a record for each word") {
  const Brokers brokers;
  REQUIRE(brokers.broker->create_topic(kTopic, 1).ok());
  KafkaTopicSink sink(brokers.client, kTopic, "stream", "group");
  const auto held = sink.last_batch();
  REQUIRE(held.ok());
  CHECK_FALSE(held.value());

  const ListedWords words({{"hello", 2}, {"", 1}, {std::string("a\0b\xff", 4), 3}}, false);
  const BatchPlan first = plan_of(1, 0, 5);
  require_written(sink.write({first, std::chrono::seconds(1), {}, words}));
  CHECK(brokers.records() == 3);

  const ListedWords nothing;  // a filter has left no word: only the positions move
  const BatchPlan second = plan_of(2, 5, 9);
  require_written(sink.write({second, std::chrono::seconds(1), {}, nothing}));
  CHECK(brokers.records() == 3);
  CHECK(sink.last_batch().value()->id == 2);
  CHECK(sink.last_batch().value()->fingerprint == fingerprint(second));
}

TEST_CASE("kafka topic: what fails while it is written is not committed, and is written again") {
  const Brokers brokers;
  REQUIRE(brokers.broker->create_topic(kTopic, 1).ok());
  KafkaTopicSink sink(brokers.client, kTopic, "stream", std::nullopt);
  const BatchPlan plan = plan_of(1, 0, 5);
  const Status failed = sink.write({plan, std::chrono::seconds(1), {}, Failing()});
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().text == "the disk");
  CHECK_FALSE(sink.last_batch().value());

  const ListedWords words({{"word", 1}, {"other", 1}});
  require_written(sink.write({plan, std::chrono::seconds(1), {}, words}));
  CHECK(sink.last_batch().value()->id == 1);
}

TEST_CASE("kafka topic: failures while a partition is added to the transaction") {
  const Brokers brokers;
  REQUIRE(brokers.broker->create_topic(kTopic, 1).ok());
  KafkaTopicSink sink(brokers.client, kTopic, "stream", std::nullopt);
  const BatchPlan plan = plan_of(1, 0, 5);
  // librdkafka (2.0.2) that ends meanwhile may fail an assertion, mostly on a busy machine.
  for (int i = 0; i < 100; ++i) {
    REQUIRE_FALSE(sink.write({plan, std::chrono::seconds(1), {}, Failing()}).ok());
  }
  const ListedWords words({{"word", 1}});
  require_written(sink.write({plan, std::chrono::seconds(1), {}, words}));
}

TEST_CASE("kafka topic: a batch that was acknowledged and is not there any more") {
  Failed stream(2);
  set_positions(stream.brokers, batch_note({1, 7}));
  const Status written = stream.write_again();
  REQUIRE_FALSE(written.ok());
  CHECK(written.error().code == ExitCode::kData);
  CHECK_FALSE(written.error().is_transient);
  INFO(written.error().text);
  CHECK(written.error().text.find("say batch 1, but the brokers have acknowledged batch 2 since. "
                                  "Batch 3 was not written") != std::string::npos);
  CHECK(stream.brokers.records() == stream.records);
}

TEST_CASE("kafka topic: another process has written meanwhile") {
  Failed stream(1);
  set_positions(stream.brokers, batch_note({2, 7}));  // its number, but other ranges
  const Status written = stream.write_again();
  REQUIRE_FALSE(written.ok());
  CHECK(written.error().code == ExitCode::kTryAgain);
  CHECK(stream.brokers.records() == stream.records);
}

TEST_CASE("kafka topic: brokers that are away are transient, and nobody waits long for them") {
  kafka::ClientConfig nowhere{"127.0.0.1:1", {}, false};
  KafkaTopicSink sink(nowhere, kTopic, "stream", std::nullopt);
  const auto held = sink.last_batch();
  REQUIRE_FALSE(held.ok());
  CHECK(held.error().is_transient);
  CHECK(held.error().code == ExitCode::kUnavailable);
}

}  // namespace kstream

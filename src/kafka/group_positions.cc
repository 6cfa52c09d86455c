#include "kafka/group_positions.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "kafka/client.h"
#include "kafka/error.h"
#include "os/clock.h"

namespace kstream::kafka {
namespace {

constexpr int kAnswerMs = 10'000;
constexpr int kPauseMs = 100;
constexpr int kLeastMs = 1'000;  // with less, what comes of asking is a time-out, not an answer

using OptionsHandle =
    std::unique_ptr<rd_kafka_AdminOptions_t, Destroyer<rd_kafka_AdminOptions_destroy>>;
using QuestionHandle = std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t,
                                       Destroyer<rd_kafka_ListConsumerGroupOffsets_destroy>>;

// The positions, or why there are none.
struct Answer {
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::map<TopicPartition, Committed> positions;
};

Answer read_answer(const rd_kafka_group_result_t& group) {
  Answer answer;
  if (const rd_kafka_error_t* error = rd_kafka_group_result_error(&group); error != nullptr) {
    answer.code = rd_kafka_error_code(error);
    return answer;
  }
  const rd_kafka_topic_partition_list_t* list = rd_kafka_group_result_partitions(&group);
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& one = list->elems[i];
    if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      answer.code = one.err;
    } else if (one.offset >= 0) {
      answer.positions[{one.topic, one.partition}] = {
          one.offset, {static_cast<const char*>(one.metadata), one.metadata_size}};
    }
  }
  return answer;
}

// Without a list: of all that the group has, as they are. At named ones what a transaction is about
// to change is no answer.
Answer ask_once(rd_kafka_t* client, const std::string& group,
                const rd_kafka_topic_partition_list_t* list, int within_ms) {
  const QueueHandle answers(rd_kafka_queue_new(client));
  const OptionsHandle options(
      rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS));
  std::array<char, 512> reason{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), within_ms, reason.data(), reason.size());
  const ErrorHandle stable(
      rd_kafka_AdminOptions_set_require_stable_offsets(options.get(), list != nullptr ? 1 : 0));
  KS_CHECK(stable == nullptr);
  const QuestionHandle question(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), list));
  rd_kafka_ListConsumerGroupOffsets_t* questions[] = {question.get()};
  rd_kafka_ListConsumerGroupOffsets(client, questions, 1, options.get(), answers.get());
  const EventHandle event(rd_kafka_queue_poll(answers.get(), within_ms));
  if (event == nullptr) {
    return {RD_KAFKA_RESP_ERR__TIMED_OUT, {}};
  }
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {code, {}};
  }
  std::size_t count = 0;
  const rd_kafka_group_result_t** groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
  KS_CHECK(count == 1);
  return read_answer(*groups[0]);
}

// Until something else comes than what passes, or there is no time left to ask again.
Answer ask(rd_kafka_t* client, const std::string& group,
           const rd_kafka_topic_partition_list_t* list) {
  SystemClock clock;
  const std::int64_t deadline_ms = clock.steady_ms() + kAnswerMs;
  while (true) {
    const std::int64_t left_ms = deadline_ms - clock.steady_ms();
    Answer answer = ask_once(client, group, list, static_cast<int>(left_ms));
    rd_kafka_poll(client, 0);  // complaints arrive here
    if (!is_transient(answer.code) || clock.steady_ms() + kPauseMs > deadline_ms - kLeastMs) {
      return answer;
    }
    rd_kafka_poll(client, kPauseMs);
  }
}

}  // namespace

// Asked twice: where nobody names the partitions librdkafka (2.0.2) gives those of before the
// transaction, and the broker does not tell of those that it is the first to change.
Result<GroupPositions> group_positions(const ClientConfig& config, const std::string& group,
                                       std::span<const TopicPartition> partitions) {
  // A client that has a group: librdkafka (issue 5040) looks for the coordinator of its own one
  // when the broker that it asks is none, as in a cluster that has not had a group before, and
  // without one it ends the process.
  KS_TRY_VALUE(client, Client::create(Role::kConsumer, config,
                                      {{"group.id", group}, {"session.timeout.ms", "1000"}}));
  Answer answer = ask(client->get(), group, nullptr);
  GroupPositions found{std::move(answer.positions), false};
  if (answer.code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    std::map<TopicPartition, Committed> named = found.committed;
    for (const TopicPartition& partition : partitions) {
      named.try_emplace(partition);
    }
    if (named.empty()) {
      return found;
    }
    const ListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(named.size())));
    for (const auto& [partition, position] : named) {
      rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
    }
    answer = ask(client->get(), group, list.get());
    if (answer.code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT) {
      found.is_pending = true;
      return found;
    }
  }
  if (answer.code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return to_error(*client, answer.code, fmt::format("group '{}' on {}", group, client->brokers()),
                    "Its positions are not known.");
  }
  return GroupPositions{std::move(answer.positions), false};
}

}  // namespace kstream::kafka

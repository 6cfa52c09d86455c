#include "offsets/kafka_offsets.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "kafka/error.h"

namespace kstream {
namespace {

constexpr int kAnswerMs = 5000;
constexpr int kAnswerWhileAwayMs = 500;
constexpr std::chrono::milliseconds kPause(100);

// What a broker answers to a commit that comes from none of the group's members.
bool is_for_members_only(rd_kafka_resp_err_t code) {
  switch (static_cast<int>(code)) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case 110:  // FENCED_MEMBER_EPOCH and
    case 113:  // STALE_MEMBER_EPOCH, which librdkafka 2.0.2 does not know
      return true;
    default:
      return false;
  }
}

// The group has no coordinator yet, or it is moving: librdkafka looks for it while one waits.
bool is_between_coordinators(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__WAIT_COORD || code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
         code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
         code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

kafka::ListHandle list_of_size(std::size_t size) {
  return kafka::ListHandle(rd_kafka_topic_partition_list_new(static_cast<int>(size)));
}

}  // namespace

Result<std::unique_ptr<KafkaOffsets>> KafkaOffsets::create(const kafka::ClientConfig& config,
                                                           const std::string& group) {
  if (group.empty()) {
    return Error{ExitCode::kUsage, "group '': a consumer group needs a name"};
  }
  KS_TRY_VALUE(client, kafka::Client::create(kafka::Role::kConsumer, config,
                                             {{"group.id", group},
                                              // How long a commit waits for a coordinator, and how
                                              // long one that does holds up the end of the client.
                                              {"session.timeout.ms", "1000"},
                                              {"socket.timeout.ms", "8000"}}));
  return std::unique_ptr<KafkaOffsets>(new KafkaOffsets(std::move(client), group));
}

Status KafkaOffsets::publish(const OffsetMap& next) {
  if (next.empty()) {
    return {};
  }
  const kafka::ListHandle list = list_of_size(next.size());
  for (const auto& [partition, offset] : next) {
    KS_CHECK(offset >= 0);  // below are librdkafka's symbols, which it leaves out silently
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)
        ->offset = offset;
  }
  const std::int64_t deadline_ms = clock_.steady_ms() + (is_away_ ? kAnswerWhileAwayMs : kAnswerMs);
  if (answer_ != nullptr) {
    take_answer(deadline_ms);  // of an earlier commit: this one replaces it, whatever it says
  }
  Answer answer{RD_KAFKA_RESP_ERR__TIMED_OUT, {}};
  do {
    if (answer_ == nullptr) {
      answer = commit(list.get(), deadline_ms);
    }
  } while (wait_for_coordinator(answer.code, deadline_ms));
  is_away_ = answer_ != nullptr || is_between_coordinators(answer.code);
  return answer.code == RD_KAFKA_RESP_ERR_NO_ERROR
             ? Status()
             : error(answer, "Not all positions were published.");
}

KafkaOffsets::Answer KafkaOffsets::commit(const rd_kafka_topic_partition_list_t* list,
                                          std::int64_t deadline_ms) {
  answer_.reset(rd_kafka_queue_new(client_->get()));
  const rd_kafka_resp_err_t code =
      rd_kafka_commit_queue(client_->get(), list, answer_.get(), nullptr, nullptr);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    answer_.reset();
    return {code, {}};
  }
  return take_answer(deadline_ms);
}

// Leaves answer_ set if there is none yet.
KafkaOffsets::Answer KafkaOffsets::take_answer(std::int64_t deadline_ms) {
  const kafka::EventHandle event(rd_kafka_queue_poll(answer_.get(), left_ms(deadline_ms)));
  rd_kafka_poll(client_->get(), 0);  // complaints arrive here
  if (event == nullptr) {
    return {RD_KAFKA_RESP_ERR__TIMED_OUT, {}};
  }
  answer_.reset();
  const rd_kafka_topic_partition_list_t* list = rd_kafka_event_topic_partition_list(event.get());
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& one = list->elems[i];
    if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) {  // the event's own error is one of these
      return {one.err, fmt::format(", {}:{}", one.topic, one.partition)};
    }
  }
  return {rd_kafka_event_error(event.get()), {}};
}

Result<OffsetMap> KafkaOffsets::read(std::span<const TopicPartition> partitions) {
  constexpr std::string_view kNotRead = "Its positions are not known.";
  OffsetMap found;
  if (partitions.empty()) {
    return found;
  }
  const kafka::ListHandle list = list_of_size(partitions.size());
  for (const TopicPartition& partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
  }
  const std::int64_t deadline_ms = clock_.steady_ms() + kAnswerMs;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  do {
    code = rd_kafka_committed(client_->get(), list.get(), left_ms(deadline_ms));
  } while (wait_for_coordinator(code, deadline_ms));
  rd_kafka_poll(client_->get(), 0);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return error({code, {}}, kNotRead);
  }
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& answer = list->elems[i];
    if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return error({answer.err, fmt::format(", {}:{}", answer.topic, answer.partition)}, kNotRead);
    }
    if (answer.offset >= 0) {
      found[{answer.topic, answer.partition}] = answer.offset;
    }
  }
  return found;
}

int KafkaOffsets::left_ms(std::int64_t deadline_ms) {
  return static_cast<int>(std::max<std::int64_t>(0, deadline_ms - clock_.steady_ms()));
}

// Whether to ask again, after a pause, because the answer was not the coordinator's.
bool KafkaOffsets::wait_for_coordinator(rd_kafka_resp_err_t code, std::int64_t deadline_ms) {
  if (!is_between_coordinators(code) || left_ms(deadline_ms) <= kPause.count()) {
    return false;
  }
  clock_.wait(kPause, {});
  return true;
}

Error KafkaOffsets::error(const Answer& answer, std::string_view consequence) const {
  if (is_for_members_only(answer.code)) {
    return {ExitCode::kTryAgain,
            fmt::format("{} has active members; Kafka takes positions from these alone ({}). "
                        "Nothing was published. Stop them, or choose another --group.",
                        name_, rd_kafka_err2str(answer.code))};
  }
  // librdkafka's own word for a time-out.
  const rd_kafka_resp_err_t code = answer.code == RD_KAFKA_RESP_ERR__WAIT_COORD
                                       ? RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE
                                       : answer.code;
  // What passes by itself is said of every partition.
  const std::string where = kafka::is_transient(code) ? "" : answer.where;
  return kafka::to_error(*client_, code,
                         fmt::format("brokers {}, {}{}", client_->brokers(), name_, where),
                         consequence);
}

}  // namespace kstream

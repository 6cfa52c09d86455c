#include "kafka/transaction_producer.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "kafka/cluster_view.h"
#include "kafka/error.h"

namespace kstream::kafka {
namespace {

constexpr int kAnswerMs = 10'000;  // until something that does not move counts as away
constexpr int kStepMs = 1'000;
constexpr int kRoomMs = 5;

using GroupHandle = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                                    Destroyer<rd_kafka_consumer_group_metadata_destroy>>;

// What the user may set otherwise.
const Properties& defaults() {
  static const Properties kDefaults = {
      {"transaction.timeout.ms", "300000"},  // 60 s would do for some 10 million words
      {"partitioner", "murmur2"},            // a word goes where Java's producers put it
  };
  return kDefaults;
}

bool is_fenced(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

std::string_view advice(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return "Nothing of the transaction is there. Raise max.message.bytes of the topic; where "
             "that "
             "is below 1 MB on purpose, set -X batch.size=BYTES below it.";
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
      return "Nothing was written. The brokers' transaction.max.timeout.ms is lower: set "
             "-X transaction.timeout.ms=MS to what they allow.";
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return "Nothing of the transaction is there. Allow this user to write to the topic and with "
             "the transactional id, and to read the groups.";
    default:
      return "Nothing of the transaction is there, or all of it; that is looked up before it is "
             "tried again.";
  }
}

}  // namespace

Result<std::unique_ptr<TransactionProducer>> TransactionProducer::create(const ClientConfig& config,
                                                                         const std::string& topic,
                                                                         const std::string& id) {
  // Asked with a reader: a producer that asks for a topic makes it, if the brokers allow that.
  KS_TRY_VALUE(view, ClusterView::create(config));
  KS_TRY(view.partitions({&topic, 1}, MissingTopic::kError));

  std::unique_ptr<TransactionProducer> self(new TransactionProducer(topic, id));
  ClientConfig own = config;
  own.properties.insert(own.properties.begin(), defaults().begin(), defaults().end());
  KS_TRY_VALUE(client,
               Client::create(Role::kProducer, own,
                              {{"transactional.id", id}, {"delivery.report.only.error", "true"}},
                              on_delivery));
  self->client_ = std::move(client);
  rd_kafka_t* handle = self->client_->get();
  std::array<char, 32> timeout{};
  std::size_t size = timeout.size();
  rd_kafka_conf_get(rd_kafka_conf(handle), "transaction.timeout.ms", timeout.data(), &size);
  self->timeout_ms_ = std::atoll(timeout.data());
  self->topic_.reset(rd_kafka_topic_new(handle, topic.c_str(), nullptr));
  KS_CHECK(self->topic_ != nullptr);  // the view has found it
  // Without, the first record waits up to a second for it (librdkafka's issue 5032).
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(handle, 0, self->topic_.get(), &metadata, kAnswerMs) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_metadata_destroy(metadata);
  }
  const ErrorHandle error(rd_kafka_init_transactions(handle, kAnswerMs));
  rd_kafka_poll(handle, 0);  // complaints arrive here
  if (error != nullptr) {
    return self->failed(rd_kafka_error_code(error.get()), "to become its writer");
  }
  return self;
}

TransactionProducer::~TransactionProducer() {
  if (client_ != nullptr) {
    // librdkafka (2.0.2) fails an assertion where it is destroyed in the moment in which it adds a
    // partition to a transaction. What is delivered has its partition added.
    rd_kafka_flush(client_->get(), kStepMs);
    rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(client_->get(), 0);
  }
}

Status TransactionProducer::begin(const Properties& headers, std::int64_t time_ms) {
  headers_.reset(rd_kafka_headers_new(headers.size()));
  for (const auto& [name, value] : headers) {
    rd_kafka_header_add(headers_.get(), name.data(), static_cast<std::ptrdiff_t>(name.size()),
                        value.data(), static_cast<std::ptrdiff_t>(value.size()));
  }
  time_ms_ = time_ms;
  began_ms_ = clock_.steady_ms();
  const ErrorHandle error(rd_kafka_begin_transaction(client_->get()));
  return error == nullptr ? Status()
                          : failed(rd_kafka_error_code(error.get()), "to begin a transaction");
}

Status TransactionProducer::send(std::string_view key, std::string_view value) {
  HeadersHandle headers(rd_kafka_headers_copy(headers_.get()));
  const char* key_data = key.empty() ? "" : key.data();  // null would be no key
  std::optional<std::int64_t> full_since_ms;
  while (true) {
    // What librdkafka's macros make of such a list; those themselves are not C++.
    const rd_kafka_resp_err_t code = rd_kafka_producev(
        client_->get(), RD_KAFKA_VTYPE_RKT, topic_.get(), RD_KAFKA_VTYPE_MSGFLAGS,
        RD_KAFKA_MSG_F_COPY, RD_KAFKA_VTYPE_KEY, key_data, key.size(), RD_KAFKA_VTYPE_VALUE,
        value.data(), value.size(), RD_KAFKA_VTYPE_TIMESTAMP, time_ms_, RD_KAFKA_VTYPE_HEADERS,
        headers.get(), RD_KAFKA_VTYPE_OPAQUE, this, RD_KAFKA_VTYPE_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      static_cast<void>(headers.release());  // librdkafka has taken them over
      return {};
    }
    const std::int64_t now_ms = clock_.steady_ms();
    full_since_ms = full_since_ms.value_or(now_ms);
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || now_ms - *full_since_ms >= kAnswerMs) {
      rd_kafka_poll(client_->get(), 0);  // what was refused arrives here
      return failed(code, "to send a record");
    }
    rd_kafka_poll(client_->get(), kRoomMs);
  }
}

Status TransactionProducer::send_positions(std::span<const std::string> groups,
                                           const OffsetMap& next, const std::string& note) {
  const ListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(next.size())));
  for (const auto& [partition, offset] : next) {
    rd_kafka_topic_partition_t* one =
        rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
    one->offset = offset;
    one->metadata = strdup(note.c_str());  // the list frees it
    one->metadata_size = note.size();
  }
  for (const std::string& group : groups) {
    const GroupHandle metadata(rd_kafka_consumer_group_metadata_new(group.c_str()));
    const ErrorHandle error(rd_kafka_send_offsets_to_transaction(client_->get(), list.get(),
                                                                 metadata.get(), kAnswerMs));
    if (error != nullptr) {
      return failed(rd_kafka_error_code(error.get()),
                    fmt::format("to send the positions of group '{}'", group));
    }
  }
  return {};
}

Status TransactionProducer::commit() {
  int waiting = rd_kafka_outq_len(client_->get());
  std::int64_t moved_ms = clock_.steady_ms();
  while (true) {
    const ErrorHandle error(rd_kafka_commit_transaction(client_->get(), kStepMs));
    if (error == nullptr) {
      return {};
    }
    if (const int now_waiting = rd_kafka_outq_len(client_->get()); now_waiting != waiting) {
      waiting = now_waiting;
      moved_ms = clock_.steady_ms();
    }
    if (rd_kafka_error_is_retriable(error.get()) == 0 ||
        clock_.steady_ms() - moved_ms >= kAnswerMs) {
      return failed(rd_kafka_error_code(error.get()), "to commit");
    }
    rd_kafka_poll(client_->get(), kRoomMs);
  }
}

Status TransactionProducer::abort() {
  // What is not sent yet would be dropped, and its partition would not learn of the end.
  if (const auto code = rd_kafka_flush(client_->get(), kAnswerMs);
      code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return failed(code, "to abort");
  }
  const ErrorHandle error(rd_kafka_abort_transaction(client_->get(), kAnswerMs));
  return error == nullptr ? Status() : failed(rd_kafka_error_code(error.get()), "to abort");
}

// What ended the producer, else what became of a record, says more than what a call returns.
Error TransactionProducer::failed(rd_kafka_resp_err_t code, std::string_view doing) const {
  std::array<char, 512> reason{};
  if (const auto fatal = rd_kafka_fatal_error(client_->get(), reason.data(), reason.size());
      fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
    code = fatal;
  } else if (refusal_ != RD_KAFKA_RESP_ERR_NO_ERROR) {
    code = refusal_;
  }
  const std::string subject = fmt::format("topic '{}' on {}, transactional id '{}', {}",
                                          topic_name_, client_->brokers(), id_, doing);
  if (is_fenced(code) && !is_outlasted()) {
    return {ExitCode::kTryAgain,
            fmt::format("{}: another process has it now, and knows whether this transaction is "
                        "there. Let one process write the stream, or give it another name with "
                        "--name.",
                        subject)};
  }
  if (is_fenced(code)) {
    return {ExitCode::kUnavailable,
            fmt::format("{}: the transaction has lasted longer than transaction.timeout.ms, {} ms, "
                        "and the broker has given it up. If that was no outage, set "
                        "-X transaction.timeout.ms=MS higher.",
                        subject, timeout_ms_),
            true};
  }
  Error error = to_error(*client_, code, subject, advice(code));
  // All others are of this producer, or of the moment.
  error.is_transient =
      error.is_transient || error.code == ExitCode::kInternal || error.code == ExitCode::kNoInput;
  error.code = error.code == ExitCode::kInternal ? ExitCode::kUnavailable : error.code;
  return error;
}

bool TransactionProducer::is_outlasted() const {
  return began_ms_ != 0 && clock_.steady_ms() - began_ms_ >= timeout_ms_;
}

void TransactionProducer::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  auto* self = static_cast<TransactionProducer*>(message->_private);
  if (self->refusal_ == RD_KAFKA_RESP_ERR_NO_ERROR) {
    self->refusal_ = message->err;
  }
}

}  // namespace kstream::kafka

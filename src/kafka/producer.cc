#include "kafka/producer.h"

#include <fmt/format.h>

#include <utility>

#include "kafka/error.h"

namespace kstream::kafka {
namespace {

constexpr int kPollMs = 100;

}  // namespace

Result<std::unique_ptr<Producer>> Producer::create(const ClientConfig& config,
                                                   const std::string& topic) {
  std::unique_ptr<Producer> self(new Producer(topic));
  KS_TRY_VALUE(client, Client::create(Role::kProducer, config, {}, on_delivery));
  self->client_ = std::move(client);
  self->topic_.reset(rd_kafka_topic_new(self->client_->get(), topic.c_str(), nullptr));
  if (self->topic_ == nullptr) {
    return Error{ExitCode::kUsage, fmt::format("topic '{}': not a name that Kafka takes: {}", topic,
                                               rd_kafka_err2str(rd_kafka_last_error()))};
  }
  return self;
}

Producer::~Producer() {
  if (client_ != nullptr) {
    rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  }
}

Status Producer::send(std::int32_t partition, const std::optional<std::string_view>& key,
                      std::string_view value, const std::stop_token& stop) {
  while (true) {
    KS_TRY(failure());
    const int result = rd_kafka_produce(topic_.get(), partition, RD_KAFKA_MSG_F_COPY,
                                        const_cast<char*>(value.data()), value.size(),
                                        key ? key->data() : nullptr, key ? key->size() : 0, this);
    if (result == 0) {
      ++sent_;
      rd_kafka_poll(client_->get(), 0);
      return {};
    }
    const rd_kafka_resp_err_t error = rd_kafka_last_error();
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      return Error{ExitCode::kData,
                   fmt::format("topic '{}': record {} of {} bytes cannot be sent: {}. The records "
                               "before it were taken.",
                               topic_name_, sent_ + 1, value.size(), rd_kafka_err2str(error))};
    }
    if (stop.stop_requested()) {
      return {};
    }
    rd_kafka_poll(client_->get(), kPollMs);
  }
}

Status Producer::flush(std::chrono::milliseconds timeout, const std::stop_token& stop) {
  for (std::int64_t left = timeout.count(); left > 0 && !stop.stop_requested(); left -= kPollMs) {
    if (rd_kafka_flush(client_->get(), kPollMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      return failure();
    }
    KS_TRY(failure());
  }
  const int open = rd_kafka_outq_len(client_->get());
  if (open == 0) {
    return failure();
  }
  const std::string complaint = client_->last_complaint();
  return Error{
      stop.stop_requested() ? ExitCode::kTryAgain : ExitCode::kUnavailable,
      fmt::format("brokers {}: {} of {} records are not acknowledged ({}). They may be in "
                  "the topic or not.",
                  client_->brokers(), open, sent_, complaint.empty() ? "no complaint" : complaint),
      true};
}

Status Producer::failure() const {
  return failure_ ? Status(*failure_) : Status();
}

void Producer::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  auto* self = static_cast<Producer*>(message->_private);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    self->acknowledged_.fetch_add(1, std::memory_order_relaxed);
  } else if (!self->failure_) {
    self->failure_ =
        to_error(*self->client_, message->err,
                 fmt::format("topic '{}': a record of {} bytes", self->topic_name_, message->len),
                 "It and what came after it may not be there.");
  }
}

}  // namespace kstream::kafka

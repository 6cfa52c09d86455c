#include "kafka/partition_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "model/record_headers.h"

namespace kstream::kafka {
namespace {

// What librdkafka needs for a queued record beyond its bytes.
constexpr std::size_t kQueuedRecordBytes = 310;
constexpr std::size_t kTypicalRecordBytes = 100;
constexpr std::size_t kShareBytesMin = 64 * 1024;
constexpr std::size_t kFetchBytesMax = 1024 * 1024;
constexpr auto kWaitBeforeKick = std::chrono::microseconds(200);
constexpr int kVersionFetchBackoff = 0x020200ff;
constexpr int kVersionPositionRight = 0x020d02ff;

std::optional<std::string_view> field(const void* bytes, std::size_t length) {
  if (bytes == nullptr) {
    return std::nullopt;
  }
  return std::string_view(static_cast<const char*>(bytes), length);
}

void encode_headers(const rd_kafka_message_t& message, std::string& to) {
  to.clear();
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return;
  }
  const char* key = nullptr;
  const void* value = nullptr;
  std::size_t length = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &key, &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    put_header(to, {key, field(value, length)});
  }
}

}  // namespace

ReadAhead read_ahead(std::size_t bytes, std::size_t partitions) {
  const std::size_t share = std::max(bytes / std::max<std::size_t>(partitions, 1), kShareBytesMin);
  const std::size_t records = share / (kQueuedRecordBytes + kTypicalRecordBytes);
  // A queue has room for two answers of small records: one is taken while the next one comes. More
  // in one answer, and all queues are full at once, and then all empty.
  const std::size_t fetch_bytes = std::clamp(share / 8, kShareBytesMin, kFetchBytesMax);
  return {{
              // Both limits hold for each partition's own queue.
              {"queued.min.messages", fmt::format("{}", records)},
              {"queued.max.messages.kbytes", fmt::format("{}", share / 1024)},
              {"fetch.queue.backoff.ms", "2"},
              {"fetch.message.max.bytes", fmt::format("{}", fetch_bytes)},
              {"fetch.max.bytes", "8388608"},
          },
          static_cast<Offset>(records)};
}

Wakeup::Wakeup(rd_kafka_t* client)
    : client_(client), needs_kick_(rd_kafka_version() < kVersionFetchBackoff) {}

void Wakeup::watch(rd_kafka_queue_t* queue) {
  rd_kafka_queue_cb_event_enable(queue, on_records, this);
}

void Wakeup::unwatch(rd_kafka_queue_t* queue) {
  rd_kafka_queue_cb_event_enable(queue, nullptr, nullptr);
}

void Wakeup::on_records(rd_kafka_t*, void* wakeup) {
  auto* self = static_cast<Wakeup*>(wakeup);
  {
    std::lock_guard lock(self->mutex_);
    self->is_woken_ = true;
  }
  self->wake_.notify_one();
}

void Wakeup::wait(const TopicPartition* waiting, std::chrono::milliseconds longest) {
  const auto woken = [this] { return is_woken_; };
  std::unique_lock lock(mutex_);
  if (needs_kick_ && waiting != nullptr && !wake_.wait_for(lock, kWaitBeforeKick, woken)) {
    lock.unlock();
    kick(*waiting);
    lock.lock();
  }
  wake_.wait_for(lock, longest, woken);
  is_woken_ = false;
}

// Before 2.2 a client whose queues were full sleeps for up to a second, whatever is taken from
// them. Any request wakes it; nobody waits for the answer.
void Wakeup::kick(const TopicPartition& waiting) {
  const ListHandle list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), waiting.topic.c_str(), waiting.partition)->offset =
      RD_KAFKA_OFFSET_END;
  rd_kafka_offsets_for_times(client_, list.get(), 0);
}

PartitionQueue::PartitionQueue(rd_kafka_t* client, TopicPartition name, Wakeup& wakeup)
    : client_(client),
      name_(std::move(name)),
      queue_(rd_kafka_queue_get_partition(client, name_.topic.c_str(), name_.partition)),
      asked_(rd_kafka_topic_partition_list_new(1)),
      is_position_off_by_one_(rd_kafka_version() >= kVersionFetchBackoff &&
                              rd_kafka_version() < kVersionPositionRight) {
  KS_CHECK(queue_ != nullptr);
  rd_kafka_queue_forward(queue_.get(), nullptr);
  wakeup.watch(queue_.get());
  rd_kafka_topic_partition_list_add(asked_.get(), name_.topic.c_str(), name_.partition);
}

PartitionQueue::~PartitionQueue() {
  Wakeup::unwatch(queue_.get());
}

int PartitionQueue::take(MessageCallback callback, void* opaque) {
  // The batch calls take a lock for each record.
  return rd_kafka_consume_callback_queue(queue_.get(), 0, callback, opaque);
}

std::optional<Offset> PartitionQueue::position() {
  rd_kafka_topic_partition_t& element = asked_->elems[0];
  element.offset = RD_KAFKA_OFFSET_INVALID;
  if (rd_kafka_position(client_, asked_.get()) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      element.offset == RD_KAFKA_OFFSET_INVALID) {
    return std::nullopt;
  }
  if (is_position_off_by_one_ && element.offset == last_end_ + 1) {
    return std::nullopt;  // perhaps one too many; the next record or end event tells
  }
  return element.offset;
}

RecordView record_of(const rd_kafka_message_t& message, std::string* headers) {
  RecordView record;
  record.offset = message.offset;
  record.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
  record.key = field(message.key, message.key_len);
  record.value = field(message.payload, message.len);
  if (headers != nullptr) {
    encode_headers(message, *headers);
    record.headers = *headers;
  }
  return record;
}

}  // namespace kstream::kafka

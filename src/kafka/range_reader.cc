#include "kafka/range_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kafka/error.h"
#include "telemetry/log.h"

namespace kstream::kafka {
namespace {

constexpr auto kWait = std::chrono::milliseconds(100);
constexpr std::int64_t kFirstReportMs = 5'000;
constexpr std::int64_t kReportEveryMs = 60'000;

}  // namespace

Result<std::unique_ptr<RangeReader>> RangeReader::create(const ClientConfig& config,
                                                         const ReaderOptions& options,
                                                         std::size_t partitions, Clock& clock) {
  const ReadAhead ahead = read_ahead(options.prefetch_bytes, partitions);
  KS_TRY_VALUE(client, Client::create(Role::kConsumer, config, ahead.properties));
  rd_kafka_poll_set_consumer(client->get());
  return std::unique_ptr<RangeReader>(
      new RangeReader(std::move(client), options, ahead.queue_records, clock));
}

RangeReader::CarriedRecord::CarriedRecord(const RecordView& record)
    : offset(record.offset),
      timestamp_ms(record.timestamp_ms),
      key(record.key),
      value(record.value),
      headers(record.headers) {}

RecordView RangeReader::CarriedRecord::view() const {
  return {offset, timestamp_ms, key, value, headers};
}

RangeReader::RangeReader(std::unique_ptr<Client> client, const ReaderOptions& options,
                         Offset queue_records, Clock& clock)
    : client_(std::move(client)),
      options_(options),
      queue_records_(queue_records),
      clock_(clock),
      wakeup_(client_->get()) {}

RangeReader::~RangeReader() {
  partitions_.clear();
  rd_kafka_assign(client_->get(), nullptr);
}

Status RangeReader::read(std::span<const OffsetRange> ranges, BlockExchange& blocks,
                         const std::stop_token& abort) {
  KS_TRY(assign(ranges));
  std::vector<Partition*> waiting;
  for (const OffsetRange& range : ranges) {
    Partition* partition = partitions_.at(range.partition).get();
    partition->until = range.until;
    waiting.push_back(partition);
  }
  std::int64_t last_progress_ms = clock_.steady_ms();
  next_report_ms_ = kFirstReportMs;
  while (true) {
    bool is_progress = false;
    for (Partition* partition : waiting) {
      Result<bool> drained = drain(*partition, blocks);
      submit_block(blocks);
      if (!drained.ok()) {
        return drained.error();
      }
      is_progress = is_progress || drained.value();
    }
    drop_done(waiting);
    if (waiting.empty()) {
      return {};
    }
    if (abort.stop_requested()) {
      return Error{ExitCode::kTryAgain,
                   fmt::format("{}: stopped at offset {} of {}", to_string(waiting[0]->name()),
                               waiting[0]->next, waiting[0]->until)};
    }
    if (is_progress) {
      last_progress_ms = clock_.steady_ms();
      next_report_ms_ = kFirstReportMs;
      continue;
    }
    wakeup_.wait(&waiting[0]->name(), kWait);
    serve_client();
    KS_TRY(report_stall(waiting, clock_.steady_ms() - last_progress_ms));
  }
}

Status RangeReader::assign(std::span<const OffsetRange> ranges) {
  std::vector<TopicPartition> gone;
  const ListHandle fresh(rd_kafka_topic_partition_list_new(0));
  for (const OffsetRange& range : ranges) {
    const auto known = partitions_.find(range.partition);
    if (known != partitions_.end() && known->second->next == range.from) {
      continue;
    }
    if (known != partitions_.end()) {
      gone.push_back(range.partition);
    }
    const char* topic = range.partition.topic.c_str();
    rd_kafka_topic_partition_list_add(fresh.get(), topic, range.partition.partition)->offset =
        range.from;
  }
  unassign(gone);
  if (fresh->cnt == 0) {
    return {};
  }
  for (int i = 0; i < fresh->cnt; ++i) {
    const TopicPartition name{fresh->elems[i].topic, fresh->elems[i].partition};
    auto partition = std::make_unique<Partition>(client_->get(), name, wakeup_);
    partition->next = fresh->elems[i].offset;
    partitions_[name] = std::move(partition);
  }
  const ErrorHandle error(rd_kafka_incremental_assign(client_->get(), fresh.get()));
  if (error != nullptr) {
    return Error{ExitCode::kInternal, fmt::format("{} partitions: cannot be assigned: {}",
                                                  fresh->cnt, rd_kafka_error_string(error.get()))};
  }
  return {};
}

void RangeReader::unassign(std::span<const TopicPartition> partitions) {
  if (partitions.empty()) {
    return;
  }
  const ListHandle gone(rd_kafka_topic_partition_list_new(0));
  for (const TopicPartition& name : partitions) {
    rd_kafka_topic_partition_list_add(gone.get(), name.topic.c_str(), name.partition);
    partitions_.erase(name);
  }
  const ErrorHandle error(rd_kafka_incremental_unassign(client_->get(), gone.get()));
  KS_CHECK(error == nullptr);
}

void RangeReader::drop_done(std::vector<Partition*>& waiting) {
  std::vector<TopicPartition> done;
  bool may_be_full = false;  // a queue of those that are not done
  for (const Partition* partition : waiting) {
    if (partition->is_done()) {
      done.push_back(partition->name());
    } else if (partition->left() > queue_records_) {
      may_be_full = true;
    }
  }
  std::erase_if(waiting, [](const Partition* partition) { return partition->is_done(); });
  if (may_be_full) {
    // While the others' queues are full, the client asks for these alone. At the end of their logs
    // the broker holds its answer back for fetch.wait.max.ms, and the client asks for nothing else
    // meanwhile.
    unassign(done);
  }
}

Result<bool> RangeReader::drain(Partition& partition, BlockExchange& blocks) {
  const Offset before = partition.next;
  if (partition.carried && !partition.is_done()) {
    const CarriedRecord carried = *std::exchange(partition.carried, std::nullopt);
    KS_TRY(take(partition, carried.view(), blocks));
  }
  Draining draining{this, &partition, &blocks, {}};
  while (!partition.is_done()) {
    const int taken = partition.queue.take(on_message, &draining);
    KS_TRY(draining.status);
    if (taken <= 0) {
      if (const std::optional<Offset> position = partition.queue.position()) {
        partition.next = std::clamp(*position, partition.next, partition.until);
      }
      break;
    }
  }
  return partition.next > before;
}

void RangeReader::on_message(rd_kafka_message_t* message, void* draining) noexcept {
  auto& [self, partition, blocks, status] = *static_cast<Draining*>(draining);
  status = message->err == RD_KAFKA_RESP_ERR_NO_ERROR
               ? self->take(*partition, record_of(*message, self->headers_place()), *blocks)
               : self->take_event(*partition, *message);
  if (!status.ok() || partition->is_done()) {
    // What lies beyond the range goes back to the front of the queue.
    rd_kafka_yield(self->client_->get());
  }
}

Status RangeReader::take(Partition& partition, const RecordView& record, BlockExchange& blocks) {
  if (record.offset < partition.next) {
    return Error{
        ExitCode::kInternal,
        fmt::format("{}: record {} came after position {}. The batch was given up, nothing "
                    "of it was written. Please report this with the librdkafka version {}.",
                    to_string(partition.name()), record.offset, partition.next,
                    rd_kafka_version_str())};
  }
  if (record.offset >= partition.until) {
    partition.next = partition.until;
    partition.carried.emplace(record);
    return {};
  }
  partition.next = record.offset + 1;
  put(partition, record, blocks);
  return {};
}

Status RangeReader::take_event(Partition& partition, const rd_kafka_message_t& event) {
  if (event.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    partition.queue.note_end(event.offset);
    partition.next =
        std::clamp(event.offset, partition.next, std::max(partition.next, partition.until));
    return {};
  }
  if (event.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
      event.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    rd_kafka_get_watermark_offsets(client_->get(), partition.name().topic.c_str(),
                                   partition.name().partition, &low, &high);
    return Error{ExitCode::kData,
                 fmt::format("{}: offset {} is wanted, the broker now has {} to {}. The batch was "
                             "given up, nothing of it was written. Records were lost to retention "
                             "or the topic was made anew: start again with --from earliest.",
                             to_string(partition.name()), partition.next, low, high)};
  }
  if (is_transient(event.err)) {
    client_->note_complaint(
        fmt::format("{}: {}", to_string(partition.name()), rd_kafka_message_errstr(&event)));
    return {};
  }
  return to_error(*client_, event.err,
                  fmt::format("{} at offset {}", to_string(partition.name()), partition.next),
                  "The batch was given up, nothing of it was written.");
}

void RangeReader::put(const Partition& partition, const RecordView& record, BlockExchange& blocks) {
  if (block_ == nullptr || !block_->append(record)) {
    submit_block(blocks);
    block_ = blocks.acquire();
    block_->start(partition.name());
    KS_CHECK(block_->append(record));
  }
}

void RangeReader::submit_block(BlockExchange& blocks) {
  if (block_ != nullptr) {
    blocks.submit(std::move(block_));
  }
}

void RangeReader::serve_client() {
  while (const MessageHandle event{rd_kafka_consumer_poll(client_->get(), 0)}) {
    // Of groups, which nobody joined, or of brokers, which the client goes on trying.
    log::debug("{}", rd_kafka_message_errstr(event.get()));
  }
}

Status RangeReader::report_stall(const std::vector<Partition*>& waiting, std::int64_t stalled_ms) {
  if (stalled_ms < next_report_ms_) {
    return {};
  }
  const std::string complaint = client_->last_complaint();
  const std::string state =
      fmt::format("{}{}: no record for {} s at offset {} of {} ({})", to_string(waiting[0]->name()),
                  waiting.size() > 1 ? fmt::format(" and {} more", waiting.size() - 1) : "",
                  stalled_ms / 1000, waiting[0]->next, waiting[0]->until,
                  complaint.empty() ? "no complaint from the brokers" : complaint);
  const std::int64_t give_up_ms = options_.give_up_after.count();
  if (stalled_ms >= give_up_ms) {
    return Error{
        ExitCode::kUnavailable,
        fmt::format("{}. The batch was given up, nothing of it was written. {}", state,
                    options_.is_final ? "Bring the brokers back, or raise --startup-timeout."
                                      : "It is read anew, with new connections."),
        !options_.is_final};
  }
  log::warning("{}. Waiting.", state);
  next_report_ms_ = std::min<std::int64_t>(stalled_ms + kReportEveryMs, give_up_ms);
  return {};
}

}  // namespace kstream::kafka

#include "sink/kafka_topic.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "kafka/group_positions.h"
#include "sink/format.h"
#include "telemetry/log.h"

namespace kstream {

std::string batch_note(const HeldBatch& batch) {
  return fmt::format("{} {:016x}", batch.id, batch.fingerprint.value_or(0));
}

std::optional<HeldBatch> read_batch_note(std::string_view note) {
  HeldBatch batch;
  std::uint64_t fingerprint = 0;
  const char* end = note.data() + note.size();
  const auto id = std::from_chars(note.data(), end, batch.id);
  if (id.ec != std::errc() || id.ptr == end || *id.ptr != ' ' ||
      std::from_chars(id.ptr + 1, end, fingerprint, 16).ec != std::errc()) {
    return std::nullopt;
  }
  batch.fingerprint = fingerprint;
  return batch_note(batch) == note && batch.id > 0 ? std::optional(batch) : std::nullopt;
}

KafkaTopicSink::KafkaTopicSink(const kafka::ClientConfig& client, std::string topic,
                               const std::string& stream, const std::optional<std::string>& group)
    : client_(client),
      topic_(std::move(topic)),
      // A topic has no colon: no two streams and topics have one id.
      id_(fmt::format("kstream:{}:{}", stream, topic_)),
      groups_({id_}) {
  if (group) {
    groups_.push_back(*group);
  }
}

Result<std::optional<HeldBatch>> KafkaTopicSink::last_batch() {
  if (producer_ == nullptr) {
    KS_TRY_VALUE(is_unended, connect({}));
    if (is_unended) {  // which batch that is of, only its writer could tell
      producer_.reset();
      return Error{
          ExitCode::kUnavailable,
          fmt::format("{}: a transaction of the stream has not ended at the positions of group "
                      "'{}', though its producer has: brokers that were killed have lost its end. "
                      "Nothing was read or written. Abort it with Kafka's kafka-transactions.sh; "
                      "where the output then holds less than the state says, make the state anew "
                      "with kstream state adopt --from-sink.",
                      name(), id_),
          true};
    }
  }
  return held_;
}

// In this order: what an earlier producer has left open is settled before it is looked at. True:
// the stream has a transaction whose end the brokers have lost.
Result<bool> KafkaTopicSink::connect(std::span<const TopicPartition> partitions) {
  KS_TRY_VALUE(producer, kafka::TransactionProducer::create(client_, topic_, id_));
  KS_TRY_VALUE(positions, kafka::group_positions(client_, id_, partitions));
  std::optional<HeldBatch> last;
  OffsetMap next;
  for (const auto& [partition, position] : positions.committed) {
    const std::string& note = position.metadata;
    const std::optional<HeldBatch> noted = read_batch_note(note);
    if (!noted) {
      return Error{ExitCode::kData,
                   fmt::format("{}: the positions of group '{}' say which batch the topic has, but "
                               "one has the note '{}', which is not kstream's. Nothing was "
                               "written. Find out who has changed that group; to go on with what "
                               "is in the topic, give the stream another name with --name.",
                               name(), id_, note)};
    }
    if (!last || noted->id > last->id) {
      last = noted;
    }
    next[partition] = position.next;
  }
  held_ = last;
  next_ = std::move(next);
  producer_ = std::move(producer);
  return positions.is_pending;
}

// After a failure: nobody knows with what outcome. True: the batch is there.
//
// Kafka (4.3.1) tells the end of a transaction to no partition that has no leader just then, as
// after a broker was killed, and takes it as told: there the transaction goes on until the stream's
// next one, and ends as that does (docs/decisions/0014).
Result<bool> KafkaTopicSink::reconnect(const BatchResult& result, const HeldBatch& batch) {
  const std::optional<HeldBatch> acknowledged = held_;
  KS_TRY_VALUE(is_unended, connect(partitions_of(offsets_after(result.plan))));
  if (held_ && batch_note(*held_) == batch_note(batch)) {
    return true;
  }
  const bool is_behind = acknowledged && (!held_ || held_->id < acknowledged->id);
  if (is_behind && is_unended) {
    log::warning(
        "{}: the brokers have acknowledged batch {} and then lost the end of its transaction. It "
        "is taken as written: what readers do not see of it yet comes with batch {}.",
        name(), acknowledged->id, batch.id);
  } else if (is_behind && held_) {
    return Error{ExitCode::kData,
                 fmt::format("{}: the positions of group '{}' say batch {}, but the brokers have "
                             "acknowledged batch {} since. Batch {} was not written. They have "
                             "lost it, or somebody has set the positions back: find out which. "
                             "To write again what is missing, make the state anew with kstream "
                             "state adopt --from-sink.",
                             name(), id_, held_->id, acknowledged->id, batch.id)};
  }
  held_ = is_behind ? acknowledged : held_;
  if (held_ && held_->id + 1 != batch.id) {
    return overtaken(*this, id_, held_->id, batch.id);
  }
  if (is_unended && !is_behind) {
    KS_TRY(abort_unended(result, batch));
  }
  return false;
}

// A transaction that reaches all partitions that the unended one has reached, and ends.
Status KafkaTopicSink::abort_unended(const BatchResult& result, const HeldBatch& batch) {
  log::warning(
      "{}: the brokers have lost the end of a transaction that may be of batch {}. It is aborted, "
      "and the batch is written again.",
      name(), batch.id);
  Status aborted = send(result, batch);
  aborted = aborted.ok() ? producer_->abort() : aborted;
  if (!aborted.ok()) {
    producer_.reset();
  }
  return aborted;
}

Status KafkaTopicSink::write(const BatchResult& result) {
  const HeldBatch batch{*result.plan.id, fingerprint(result.plan)};
  if (producer_ == nullptr) {
    KS_TRY_VALUE(is_there, reconnect(result, batch));
    if (is_there) {
      return {};
    }
  }
  Status written = send(result, batch);
  written = written.ok() ? producer_->commit() : written;
  if (written.ok()) {
    held_ = batch;
  } else {
    producer_.reset();
  }
  return written;
}

Status KafkaTopicSink::send(const BatchResult& result, const HeldBatch& batch) {
  const BatchPlan& plan = result.plan;
  KS_TRY(producer_->begin(
      {{"batch", fmt::format("{}", batch.id)}, {"time", rfc3339_time(plan.time_ms)}},
      plan.time_ms));
  const auto send_words = [&](std::span<const WordCount> words) -> Status {
    for (const WordCount& word : words) {
      const fmt::format_int count(word.count);
      KS_TRY(producer_->send(word.word, {count.data(), count.size()}));
    }
    return {};
  };
  KS_TRY(result.counts.for_each(send_words));
  return producer_->send_positions(groups_, offsets_after(plan), batch_note(batch));
}

}  // namespace kstream

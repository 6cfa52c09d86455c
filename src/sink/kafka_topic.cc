#include "sink/kafka_topic.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "kafka/group_positions.h"
#include "sink/format.h"

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
    KS_TRY(connect());
  }
  return held_;
}

// In this order: what an earlier producer has left open is settled before it is looked at.
Status KafkaTopicSink::connect() {
  KS_TRY_VALUE(producer, kafka::TransactionProducer::create(client_, topic_, id_));
  KS_TRY_VALUE(positions, kafka::group_positions(client_, id_));
  std::optional<HeldBatch> last;
  OffsetMap next;
  for (const auto& [partition, position] : positions) {
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
  return {};
}

Status KafkaTopicSink::write(const BatchResult& result) {
  const HeldBatch batch{*result.plan.id, fingerprint(result.plan)};
  if (producer_ == nullptr) {  // the last try has failed, nobody knows with what outcome
    const std::optional<HeldBatch> acknowledged = held_;
    KS_TRY(connect());
    if (held_ && batch_note(*held_) == batch_note(batch)) {
      return {};
    }
    if (held_ && acknowledged && held_->id < acknowledged->id) {
      // Seen when a broker was killed just after it had taken a commit.
      const BatchId noted = held_->id;
      held_ = acknowledged;
      producer_.reset();
      return Error{ExitCode::kUnavailable,
                   fmt::format("{}: the positions of group '{}' say batch {}, but the brokers have "
                               "acknowledged batch {} since. Nothing was written.",
                               name(), id_, noted, acknowledged->id),
                   true};
    }
    if (held_ && held_->id + 1 != batch.id) {
      return overtaken(*this, id_, held_->id, batch.id);
    }
  }
  Status written = write_transaction(result, batch);
  if (written.ok()) {
    held_ = batch;
  } else {
    producer_.reset();
  }
  return written;
}

Status KafkaTopicSink::write_transaction(const BatchResult& result, const HeldBatch& batch) {
  const BatchPlan& plan = result.plan;
  KS_TRY(producer_->begin(
      {{"batch", fmt::format("{}", batch.id)}, {"time", rfc3339_time(plan.time_ms)}},
      plan.time_ms));
  const auto send = [&](std::span<const WordCount> words) -> Status {
    for (const WordCount& word : words) {
      const fmt::format_int count(word.count);
      KS_TRY(producer_->send(word.word, {count.data(), count.size()}));
    }
    return {};
  };
  KS_TRY(result.counts.for_each(send));
  return producer_->commit(groups_, offsets_after(plan), batch_note(batch));
}

}  // namespace kstream

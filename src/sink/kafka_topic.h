// Batches in a topic: a record for each word, one transaction for each batch, and in it the
// positions that the batch has brought the stream to.
//
// Format: docs/FORMATS.md.
// Contract: whoever reads committed records sees each batch once and whole. The stream, known by
// its
//   name, and the topic have a transactional id, so that of two processes the earlier one can write
//   no more; and a consumer group of the same name, at whose positions the batch is noted, in the
//   transaction. After a failure that note says whether the batch is there.
// Errors: those of TransactionProducer; 75 when another process has written the batch; 65 when the
//   group's positions are not kstream's, or have gone back behind a batch that was acknowledged.
// Thread: one at a time.
// Limits: brokers forget the positions of a group that stands still for offsets.retention.minutes
//   (7 days, unless set): a stream that crashed between writing a batch and completing it, and is
//   started again later than that, writes this batch once more.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/transaction_producer.h"
#include "pipeline/sink.h"

namespace kstream {

// "BATCH FINGERPRINT", as it is noted at positions.
std::string batch_note(const HeldBatch& batch);
// Nothing if the text is no such note.
std::optional<HeldBatch> read_batch_note(std::string_view note);

class KafkaTopicSink final : public Sink {
 public:
  // Connects when it is first asked for something. `group`, if there is one, gets the positions,
  // too. What is referred to outlives it.
  KafkaTopicSink(const kafka::ClientConfig& client, std::string topic, const std::string& stream,
                 const std::optional<std::string>& group);

  std::string name() const override { return "kafka:" + topic_; }
  bool wants_empty_batches() const override { return false; }
  Result<std::optional<HeldBatch>> last_batch() override;
  Result<OffsetMap> next_offsets() override { return next_; }
  Status write(const BatchResult& result) override;

 private:
  Result<bool> connect(std::span<const TopicPartition> partitions);
  Result<bool> reconnect(const BatchResult& result, const HeldBatch& batch);
  Status abort_unended(const BatchResult& result, const HeldBatch& batch);
  Status send(const BatchResult& result, const HeldBatch& batch);

  const kafka::ClientConfig& client_;
  const std::string topic_;
  const std::string id_;             // of its transactions, and of the group that has the notes
  std::vector<std::string> groups_;  // that get the positions; the first is that one
  std::unique_ptr<kafka::TransactionProducer> producer_;  // none: not yet, or it has failed
  std::optional<HeldBatch> held_;                         // when it connected, or since
  OffsetMap next_;                                        // when it connected
};

}  // namespace kstream

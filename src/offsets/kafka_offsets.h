// Positions as the committed offsets of a Kafka consumer group that nobody is a member of.
//
// Thread: one at a time.
// Errors: 64 for a name that is none; 69, transient, when no coordinator answers; 75 when the group
//         has active members: the broker takes positions from these alone; 77 when it is forbidden.
// Limits: one commit is under way at a time, so that an old one never overtakes a new one. One that
//         was given up stays under way for up to 2 s while the group has no coordinator, for up to
//         8 s while that one is silent; the destructor waits 2 s for it.
// Source: librdkafka 2.0.2 puts a commit that waited for the coordinator behind newer ones
//         (rdkafka_cgrp.c, rd_kafka_q_concat of wait_coord_q).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "kafka/client.h"
#include "offsets/offset_store.h"
#include "os/clock.h"

namespace kstream {

class KafkaOffsets final : public OffsetStore {
 public:
  static Result<std::unique_ptr<KafkaOffsets>> create(const kafka::ClientConfig& config,
                                                      const std::string& group);

  Status publish(const OffsetMap& next) override;
  Result<OffsetMap> read(std::span<const TopicPartition> partitions) override;
  const std::string& name() const override { return name_; }

 private:
  KafkaOffsets(std::unique_ptr<kafka::Client> client, const std::string& group)
      : client_(std::move(client)), name_("group '" + group + "'") {}

  // What became of a commit, and of which partition that is said: ", TOPIC:PARTITION" or nothing.
  struct Answer {
    rd_kafka_resp_err_t code;
    std::string where;
  };

  Answer commit(const rd_kafka_topic_partition_list_t* list, std::int64_t deadline_ms);
  Answer take_answer(std::int64_t deadline_ms);
  int left_ms(std::int64_t deadline_ms);
  bool wait_for_coordinator(rd_kafka_resp_err_t code, std::int64_t deadline_ms);
  Error error(const Answer& answer, std::string_view consequence) const;

  const std::unique_ptr<kafka::Client> client_;
  const std::string name_;
  SystemClock clock_;
  bool is_away_ = false;       // the last commit got no answer
  kafka::QueueHandle answer_;  // of the commit under way, if there is one
};

}  // namespace kstream

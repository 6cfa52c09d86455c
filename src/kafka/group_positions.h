// What a consumer group has committed: offsets, and what their writers said with them.
//
// Thread: any.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "kafka/client_config.h"
#include "model/offset.h"

namespace kstream::kafka {

struct Committed {
  Offset next = 0;
  std::string metadata;
};
// Nothing for a partition without one.
using CommittedMap = std::map<TopicPartition, std::optional<Committed>>;

struct GroupPositions {
  std::map<TopicPartition, Committed> committed;
  // Some are of before a transaction that has not ended.
  bool is_pending = false;
};

// Of the partitions that the group has positions of, and of these. Those that a transaction is
// about to change are waited for, for 10 s; without them named, it is not seen at those that it is
// the first to change. Errors: transient when the group's coordinator has not answered within 10 s;
// 77 when the group may not be read.
Result<GroupPositions> group_positions(const ClientConfig& config, const std::string& group,
                                       std::span<const TopicPartition> partitions);

}  // namespace kstream::kafka

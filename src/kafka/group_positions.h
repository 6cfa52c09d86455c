// What a consumer group has committed: offsets, and what their writers said with them.
//
// Thread: any.
#pragma once

#include <map>
#include <optional>
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

// The partitions that the group has positions of. Those that a transaction is about to change are
// waited for. Errors: transient when the group's coordinator has not answered within 10 s; 77 when
// the group may not be read.
Result<std::map<TopicPartition, Committed>> group_positions(const ClientConfig& config,
                                                            const std::string& group);

}  // namespace kstream::kafka

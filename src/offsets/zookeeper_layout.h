// Where Kafka's old consumers keep their positions in ZooKeeper, and how they write them. Pure.
//
// Format: a persistent node /consumers/GROUP/offsets/TOPIC/PARTITION, its value a decimal number.
// Source: Kafka 0.8's ZKGroupTopicDirs and ZkUtils.updatePersistentPath, as Spark's
//         ReliableKafkaReceiver calls them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/offset.h"

namespace kstream {

struct ZooKeeperAddress {
  std::string servers;  // HOST:PORT,... as the C client takes them: an IPv6 address has no brackets
  std::string chroot;   // "/kafka", or empty
};

// HOST:PORT[,HOST:PORT...][/chroot]. Errors: 64.
Result<ZooKeeperAddress> parse_zookeeper_address(std::string_view text);

// Whether a node can have the group's name. Errors: 64.
Status check_zookeeper_group(std::string_view group);

std::string offset_node(std::string_view chroot, std::string_view group,
                        const TopicPartition& partition);

// The nodes above a node, the uppermost first: "/a/b/c" gives "/a", "/a/b".
std::vector<std::string> parent_nodes(std::string_view node);

// The number that an offset node holds; white space around it does not matter. Errors: 65, with the
// value but without the node.
Result<Offset> parse_offset_value(std::string_view value);

}  // namespace kstream

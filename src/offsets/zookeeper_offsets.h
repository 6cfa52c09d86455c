// Positions in ZooKeeper, in the layout of Kafka's old consumers (offsets/zookeeper_layout.h).
//
// A publish writes every node, and makes those that are missing with all that is above them, the
// chroot included, open to everybody as the old consumers do.
//
// Thread: one at a time.
// Errors: 64 for a name that no node can have; 65 for a value that is not an offset; 69, transient,
//         when nobody answers; 77 when a node may not be read or written.
// Limits: offsets/zookeeper_session.h. No authentication, no TLS.
#pragma once

#include <memory>
#include <string_view>

#include "offsets/offset_store.h"

namespace kstream {

class ZooKeeperSession;

class ZooKeeperOffsets final : public OffsetStore {
 public:
  // `address` is HOST:PORT[,HOST:PORT...][/chroot]. Connects with the first call.
  static Result<std::unique_ptr<ZooKeeperOffsets>> create(std::string_view address,
                                                          std::string_view group);
  ~ZooKeeperOffsets() override;

  Status publish(const OffsetMap& next) override;
  Result<OffsetMap> read(std::span<const TopicPartition> partitions) override;
  const std::string& name() const override { return name_; }

 private:
  ZooKeeperOffsets(std::string name, std::string chroot, std::string group,
                   std::unique_ptr<ZooKeeperSession> session);

  Status create_and_set(const OffsetMap& next, std::int64_t deadline_ms);
  Error refusal(const std::string& node, int code, std::string_view consequence) const;

  const std::string name_;
  const std::string chroot_;
  const std::string group_;
  const std::unique_ptr<ZooKeeperSession> session_;
};

}  // namespace kstream

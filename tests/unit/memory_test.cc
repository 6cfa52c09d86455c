#include "app/memory.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "catch.h"
#include "os/memory_limit.h"
#include "temporary_directory.h"

namespace kstream {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

// The files of a system, as far as they say something about memory.
class System {
 public:
  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::optional<std::uint64_t> limit() const { return memory_limit(root_.path()); }

 private:
  TemporaryDirectory root_;
};

}  // namespace

TEST_CASE("memory: the limit is the lowest of the control group's and of those above it") {
  System system;
  CHECK_FALSE(system.limit());
  system.write("/proc/self/cgroup", "0::/system.slice/kstream.service\n");
  CHECK_FALSE(system.limit());
  system.write("/sys/fs/cgroup/system.slice/kstream.service/memory.max", "max\n");
  CHECK_FALSE(system.limit());
  system.write("/sys/fs/cgroup/system.slice/memory.max", "209715200\n");
  CHECK(system.limit() == 200 * kMiB);
  system.write("/sys/fs/cgroup/system.slice/kstream.service/memory.max", "104857600\n");
  CHECK(system.limit() == 100 * kMiB);
  system.write("/sys/fs/cgroup/memory.max", "52428800\n");  // a container sees its own as the root
  CHECK(system.limit() == 50 * kMiB);
}

TEST_CASE("memory: a control group of version 1 has its limit in a place of its own") {
  System system;
  system.write("/proc/self/cgroup", "5:cpu:/user\n4:memory:/docker/abc\n1:name=systemd:/x\n");
  system.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");  // none
  CHECK_FALSE(system.limit());
  system.write("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "1073741824\n");
  CHECK(system.limit() == 1024 * kMiB);
}

TEST_CASE("memory: what was chosen counts, else 512 MiB or half of the limit") {
  const auto total = [](std::optional<std::uint64_t> chosen, std::optional<std::uint64_t> limit) {
    const MemoryPlan plan = plan_memory(chosen, limit, 4);
    return plan.prefetch_bytes + 4 * plan.counter_bytes;
  };
  CHECK(total({}, {}) == 512 * kMiB);
  CHECK(total({}, 64 * 1024 * kMiB) == 512 * kMiB);
  CHECK(total({}, 200 * kMiB) == 100 * kMiB);
  CHECK(total(32 * kMiB, 200 * kMiB) == 32 * kMiB);
  CHECK(total(2048 * kMiB, 200 * kMiB) == 2048 * kMiB);
  CHECK(plan_memory(16 * kMiB, {}, 1).prefetch_bytes == 4 * kMiB);
  CHECK(plan_memory(2048 * kMiB, {}, 1).prefetch_bytes == 16 * kMiB);
}

}  // namespace kstream

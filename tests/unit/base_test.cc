#include <memory>
#include <thread>

#include "base/bounded_queue.h"
#include "base/parse.h"
#include "base/suggest.h"
#include "catch.h"

namespace kstream {

TEST_CASE("duration: a number with its unit, and nothing else") {
  using std::chrono::milliseconds;
  CHECK(parse_duration("500ms").value() == milliseconds(500));
  CHECK(parse_duration("2s").value() == milliseconds(2000));
  CHECK(parse_duration("1m").value() == milliseconds(60000));
  CHECK(parse_duration("240h").value() == milliseconds(864000000));
  for (const char* bad : {"", "2", "s", "0s", "-1s", "1.5s", "2 s", "2x", "2sec", "241h", "2S",
                          "99999999999999999999s", "9223372036854775807h"}) {
    INFO(bad);
    REQUIRE_FALSE(parse_duration(bad).ok());
    CHECK(parse_duration(bad).error().code == ExitCode::kUsage);
  }
}

TEST_CASE("size: a number with its unit, and nothing else") {
  CHECK(parse_bytes("4096B").value() == 4096);
  CHECK(parse_bytes("64KiB").value() == 65536);
  CHECK(parse_bytes("1GiB").value() == 1073741824);
  CHECK(parse_bytes("1024TiB").value() == 1LL << 50);
  for (const char* bad :
       {"", "1", "GiB", "0B", "-1B", "1GB", "1 GiB", "1025TiB", "9999999999999999999B", "1gib"}) {
    INFO(bad);
    REQUIRE_FALSE(parse_bytes(bad).ok());
    CHECK(parse_bytes(bad).error().code == ExitCode::kUsage);
  }
}

TEST_CASE("duration: its text is read back as the same duration") {
  for (const std::int64_t ms : {1, 999, 1000, 1500, 60000, 90000, 3600000, 5400000}) {
    const std::chrono::milliseconds duration(ms);
    CHECK(parse_duration(duration_text(duration)).value() == duration);
  }
  CHECK(duration_text(std::chrono::milliseconds(2000)) == "2s");
}

TEST_CASE("integer: whole, in its limits, no sign or blank around it") {
  CHECK(parse_integer("-3", -5, 5).value() == -3);
  CHECK(parse_integer("9223372036854775807", 0, INT64_MAX).value() == INT64_MAX);
  for (const char* bad : {"", "+1", " 1", "1 ", "0x1", "6", "-6", "1e1", "9223372036854775808"}) {
    INFO(bad);
    CHECK_FALSE(parse_integer(bad, -5, 5).ok());
  }
}

TEST_CASE("list: empty parts are kept") {
  CHECK(split_list("a,,b", ',') == std::vector<std::string_view>{"a", "", "b"});
  CHECK(split_list("", ',') == std::vector<std::string_view>{""});
  CHECK(split_list("a,", ',') == std::vector<std::string_view>{"a", ""});
}

TEST_CASE("suggestion: the nearest word, none when nothing is near") {
  constexpr std::string_view words[] = {"--interval", "--topic", "--brokers", "--from"};
  CHECK(nearest("--intervall", words) == "--interval");
  CHECK(nearest("--brokesr", words) == "--brokers");
  CHECK(nearest("--form", words) == "--from");
  CHECK(nearest("--zookeeper", words).empty());
  CHECK(nearest("", words).empty());
}

TEST_CASE("queue: a full one holds its writer back until a reader takes an item") {
  BoundedQueue<std::unique_ptr<int>> queue(2);
  std::thread writer([&] {
    for (int i = 0; i < 1000; ++i) {
      queue.push(std::make_unique<int>(i));
    }
    queue.close();
  });
  int expected = 0;
  while (auto item = queue.pop()) {
    CHECK(queue.size() <= 2);
    CHECK(**item == expected++);
  }
  CHECK(expected == 1000);
  writer.join();
}

TEST_CASE("queue: closed, it refuses new items and gives out the old ones") {
  BoundedQueue<int> queue(2);
  CHECK_FALSE(queue.try_pop());
  CHECK(queue.push(1));
  queue.close();
  CHECK_FALSE(queue.push(2));
  CHECK(queue.pop() == 1);
  CHECK_FALSE(queue.pop());
}

TEST_CASE("parse: times with their zone, and nothing else") {
  CHECK(parse_time("1970-01-01T00:00Z").value() == 0);
  CHECK(parse_time("2026-01-31T10:00Z").value() == 1769853600000);
  CHECK(parse_time("2026-01-31T10:00:30+01:00").value() == 1769850030000);
  for (const char* bad : {"", "2026-01-31", "2026-01-31T10:00", "2026-02-30T10:00Z", "10:00Z",
                          "2026-01-31T25:00Z", "2026-01-31T10:00Z ", "1969-12-31T23:00Z"}) {
    CHECK_FALSE(parse_time(bad).ok());
  }
}

}  // namespace kstream

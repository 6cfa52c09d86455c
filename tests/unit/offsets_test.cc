#include <string>
#include <vector>

#include "catch.h"
#include "offsets/zookeeper_layout.h"
#include "offsets/zookeeper_offsets.h"

namespace kstream {
namespace {

std::string servers_of(const char* text) {
  return parse_zookeeper_address(text).value().servers;
}

}  // namespace

TEST_CASE("zookeeper address: servers and an optional chroot") {
  CHECK(servers_of("zk1:2181") == "zk1:2181");
  CHECK(servers_of("zk1:2181,10.0.0.2:2182") == "zk1:2181,10.0.0.2:2182");
  CHECK(servers_of("a:1,b:2/kafka") == "a:1,b:2");
  CHECK(parse_zookeeper_address("a:1").value().chroot.empty());
  CHECK(parse_zookeeper_address("a:1/").value().chroot.empty());
  CHECK(parse_zookeeper_address("a:1,b:2/kafka").value().chroot == "/kafka");
  CHECK(parse_zookeeper_address("a:1/x/y.z").value().chroot == "/x/y.z");
}

TEST_CASE("zookeeper address: the client wants an IPv6 address without brackets") {
  CHECK(servers_of("[::1]:2181,[fe80::2]:1/k") == "::1:2181,fe80::2:1");
}

TEST_CASE("zookeeper address: what is none is refused with the piece that is wrong") {
  for (const char* text :
       {"",       "zk",       "zk:",        ":1",      "zk:0",      "zk:65536",    "zk:0x50",
        "zk:-1",  "zk:2181,", ",zk:2181",   "/k",      "zk 1:2181", "a:1, b:2",    "[]:1",
        "a:1//k", "a:1/k/",   "a:1/k/../l", "a:1/./k", "a:1/k\n",   "a:1/k,b:2/k", "a:1/k,b:2"}) {
    INFO(text);
    const auto address = parse_zookeeper_address(text);
    REQUIRE_FALSE(address.ok());
    CHECK(address.error().code == ExitCode::kUsage);
    CHECK(address.error().text.find("HOST:PORT") != std::string::npos);
  }
  CHECK(parse_zookeeper_address("a:1,b").error().text.find("'b' is not") != std::string::npos);
}

TEST_CASE("zookeeper node: Kafka's old layout below the chroot") {
  CHECK(offset_node("", "g", {"topic.a-b_c", 12}) == "/consumers/g/offsets/topic.a-b_c/12");
  CHECK(offset_node("/x/y", "g 1", {"t", 0}) == "/x/y/consumers/g 1/offsets/t/0");
}

TEST_CASE("zookeeper node: the nodes above it, from the top") {
  CHECK(parent_nodes("/a/bc/d") == std::vector<std::string>{"/a", "/a/bc"});
  CHECK(parent_nodes("/a").empty());
}

TEST_CASE("zookeeper node: a group that can be no node is refused, before anything is asked") {
  for (const char* group : {"", ".", "..", "a/b", "/", "a\n"}) {
    INFO(group);
    CHECK(check_zookeeper_group(group).error().code == ExitCode::kUsage);
    CHECK(ZooKeeperOffsets::create("zk:2181", group).error().code == ExitCode::kUsage);
  }
  CHECK(check_zookeeper_group("a.b: c..").ok());
}

TEST_CASE("zookeeper value: a decimal number, with or without white space around it") {
  CHECK(parse_offset_value("0").value() == 0);
  CHECK(parse_offset_value("29").value() == 29);
  CHECK(parse_offset_value(" \t42\r\n").value() == 42);
  CHECK(parse_offset_value("007").value() == 7);
  CHECK(parse_offset_value("9223372036854775807").value() == INT64_MAX);
}

TEST_CASE(
    "zookeeper value: all else is an error that shows it, cut and without control characters") {
  for (const char* value : {"", " ", "\n", "-1", "+1", "1.0", "0x10", "1 2", "12a", "NaN",
                            "9223372036854775808", "{\"offset\": 1}"}) {
    INFO(value);
    const auto offset = parse_offset_value(value);
    REQUIRE_FALSE(offset.ok());
    CHECK(offset.error().code == ExitCode::kData);
  }
  CHECK(parse_offset_value(std::string("1\0", 2)).error().code == ExitCode::kData);
  const std::string text = parse_offset_value("\x1b[1m" + std::string(1000, 'x')).error().text;
  CHECK(text.find("'?[1mxxx") != std::string::npos);
  CHECK(text.find("(1004 bytes)") != std::string::npos);
  CHECK(text.size() < 100);
}

TEST_CASE("offset stores are named as messages call them") {
  const auto store = ZooKeeperOffsets::create("zk1:2181,zk2:2181/kafka", "g");
  CHECK(store.value()->name() == "ZooKeeper zk1:2181,zk2:2181/kafka, group 'g'");
}

}  // namespace kstream

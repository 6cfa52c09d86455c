#include "checkpoint/checkpoint.h"

#include <map>

#include "catch.h"
#include "checkpoint/checkpoint_store.h"
#include "checkpoint/identity.h"
#include "checkpoint/sealed_text.h"

namespace kstream {
namespace {

const TopicPartition kA{"test", 0};
const TopicPartition kB{"test", 1};

Checkpoint example() {
  return {"6f1c9d1e-4b0a-4e55-9c3b-0f5f6d1f2a3b",
          812,
          {811, 1514260200000, {{kA, 5120}, {kB, 4990}}},
          BatchPlan{812, 1514260202000, {{kA, 5120, 5310}, {kB, 4990, 4990}}}};
}

Identity example_identity() {
  return {"6f1c9d1e-4b0a-4e55-9c3b-0f5f6d1f2a3b",
          "hoX156fPNZEoqNv1kbPTUA",
          {"test"},
          "direct",
          "",
          "committed",
          "utf8",
          "space",
          ""};
}

// What docs/FORMATS.md shows: these bytes never change.
const char* const kCheckpointText =
    "kstream-checkpoint 1\n"
    R"({"stream":"6f1c9d1e-4b0a-4e55-9c3b-0f5f6d1f2a3b","generation":812,)"
    R"("committed":{"batch":811,"time_ms":1514260200000,"next":{"test":{"0":5120,"1":4990}}},)"
    R"("intent":{"batch":812,"time_ms":1514260202000,)"
    R"("ranges":[["test",0,5120,5310],["test",1,4990,4990]]}})"
    "\n"
    "xxh3 25216c2b02c98797 274\n";

const char* const kIdentityText =
    "kstream-identity 1\n"
    R"({"stream":"6f1c9d1e-4b0a-4e55-9c3b-0f5f6d1f2a3b","cluster":"hoX156fPNZEoqNv1kbPTUA",)"
    R"("topics":["test"],"source":"direct","isolation":"committed","decode":"utf8",)"
    R"("split":"space"})"
    "\n"
    "xxh3 696acfb989afe4dd 196\n";

// Sealed with other content: what is wrong is not the seal.
std::string resealed(const std::string& from, const std::string& to) {
  std::string line = unseal("kstream-checkpoint 1", kCheckpointText).value();
  const std::size_t at = line.find(from);
  REQUIRE(at != line.npos);
  line.replace(at, from.size(), to);
  return seal("kstream-checkpoint 1", line);
}

std::string rule_broken(const std::string& text) {
  const auto decoded = decode_checkpoint(text);
  REQUIRE_FALSE(decoded.ok());
  CHECK(decoded.error().code == ExitCode::kData);
  return decoded.error().text;
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != text.npos;
}

// Files in memory.
class MemoryFiles final : public FileSystem {
 public:
  Result<std::optional<std::string>> read(const std::string& path) override {
    const auto found = files.find(path);
    return found == files.end() ? std::optional<std::string>() : std::optional(found->second);
  }
  Status write_synced(const std::string& path, std::string_view bytes) override {
    if (failure) {
      return *failure;
    }
    files[path] = bytes;
    ++writes;
    return {};
  }
  Status rename(const std::string& from, const std::string& to) override {
    files[to] = files.at(from);
    files.erase(from);
    return {};
  }
  Status sync_directory(const std::string&) override { return {}; }
  // What a checkpoint does not need.
  Result<std::unique_ptr<WritableFile>> create(const std::string&) override { return unused(); }
  Result<std::size_t> read_at(const std::string&, std::uint64_t, std::span<char>) override {
    return unused();
  }
  Result<std::vector<std::string>> names(const std::string&) override { return unused(); }
  Status make_directory(const std::string&) override { return unused(); }
  Status link(const std::string&, const std::string&) override { return unused(); }
  Status remove(const std::string&) override { return unused(); }
  static Error unused() { return Error{ExitCode::kInternal, "not for checkpoints"}; }

  std::map<std::string, std::string> files;
  std::optional<Error> failure;
  int writes = 0;
};

}  // namespace

TEST_CASE("checkpoint: its text is the one of the documentation, and is read back") {
  CHECK(encode(example()) == kCheckpointText);
  CHECK(decode_checkpoint(kCheckpointText).value() == example());
  Checkpoint idle = example();
  idle.intent.reset();
  CHECK(decode_checkpoint(encode(idle)).value() == idle);
  CHECK(encode(example_identity()) == kIdentityText);
  CHECK(decode_identity(kIdentityText).value() == example_identity());
}

TEST_CASE("checkpoint: every flipped bit, every shorter text and every byte more is refused") {
  const std::string texts[] = {kCheckpointText, kIdentityText};
  const auto is_refused = [&](const std::string& text) {
    return !decode_checkpoint(text).ok() && !decode_identity(text).ok();
  };
  for (const std::string& text : texts) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = text;
        damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
        if (!is_refused(damaged)) {
          FAIL("byte " << i << " bit " << bit);
        }
      }
      if (!is_refused(text.substr(0, i)) || !is_refused(text.substr(0, i) + ' ' + text.substr(i))) {
        FAIL("byte " << i);
      }
    }
    CHECK(is_refused(text + "\n"));
  }
}

TEST_CASE("checkpoint: each rule has its text") {
  CHECK(has(rule_broken(""), "is empty"));
  CHECK(has(rule_broken("something else\n"), "first line is not 'kstream-checkpoint 1'"));
  CHECK(has(rule_broken("kstream-checkpoint 2\n{}\nxxh3\n"), "version"));
  CHECK(has(rule_broken("kstream-checkpoint 1\n{}\n"), "cut off"));
  CHECK(has(rule_broken(std::string(kCheckpointText) + "x"), "goes on after its last line, by 1"));
  CHECK(has(rule_broken("kstream-checkpoint 1\n{}\nxxh3 0000000000000000 24\n"), "does not fit"));
  CHECK(has(rule_broken(seal("kstream-checkpoint 1", "[]")), "not a JSON object"));
  CHECK(has(rule_broken(seal("kstream-checkpoint 1", "{")), "not a JSON object"));
  CHECK(has(rule_broken(seal("kstream-checkpoint 1", "{}")), "'stream' is missing"));
  CHECK(has(rule_broken(resealed("812", "-1")), "'generation' is not a whole number"));
  CHECK(has(rule_broken(resealed("812", "8.5")), "'generation' is not a whole number"));
  CHECK(has(rule_broken(resealed("5120", "9223372036854775808")), "'next' is not a whole number"));
  CHECK(has(rule_broken(resealed("\"0\"", "\"zero\"")), "'zero' is not the number of a partition"));
  CHECK(has(rule_broken(resealed("\"0\"", "\"00\"")), "in another order"));
  CHECK(has(rule_broken(resealed("{\"0\":5120,\"1\":4990}", "5")), "are not an object"));
  CHECK(
      has(rule_broken(resealed("\"generation\":812", "\"generation\":812,\"more\":1")), "unknown"));
  CHECK(has(rule_broken(resealed("\"generation\":812", "\"generation\":812,\"generation\":812")),
            "given twice"));
  CHECK(has(rule_broken(resealed("\"intent\":{\"batch\":812", "\"intent\":{\"batch\":813")),
            "the intent is batch 813, after committed batch 811"));
  CHECK(has(rule_broken(resealed("1514260202000", "1514260200000")), "is not after"));
  CHECK(has(rule_broken(resealed("0,5120,5310", "0,5121,5310")), "begins at 5121, not at the"));
  CHECK(has(rule_broken(resealed("0,5120,5310", "0,5120,5119")), "ends before it begins"));
  CHECK(has(rule_broken(resealed("0,5120,5310", "0,5120,5120")), "all ranges"));
  CHECK(has(rule_broken(resealed(",[\"test\",1,4990,4990]", "")), "no range of test:1"));
  CHECK(has(rule_broken(resealed("[\"test\",1,4990,4990]", "[\"test\",2,4990,4990]")), "test:2"));
  CHECK(has(rule_broken(resealed("[\"test\",1,4990,4990]", "[\"test\",1,4990]")), "not [topic"));
}

TEST_CASE("identity: one that receives has its group") {
  Identity receiver = example_identity();
  receiver.source = "receiver";
  receiver.group = "words";
  CHECK(decode_identity(encode(receiver)).value() == receiver);
  Identity other = receiver;
  other.group = "others";
  const Status same = check_same(receiver, other, "DIR");
  REQUIRE_FALSE(same.ok());
  CHECK(has(same.error().text, "group words there, others here"));
}

TEST_CASE("identity: one that filters says how, another has no word of it") {
  CHECK_FALSE(has(encode(example_identity()), "filter"));
  Identity filtered = example_identity();
  filtered.filter = "lower,min-length=2";
  CHECK(decode_identity(encode(filtered)).value() == filtered);
  const Status same = check_same(example_identity(), filtered, "DIR");
  REQUIRE_FALSE(same.ok());
  CHECK(has(same.error().text, "filter none there, lower,min-length=2 here"));
}

TEST_CASE("identity: one with user functions says so, another has no word of it") {
  CHECK_FALSE(has(encode(example_identity()), "handler"));
  Identity with = example_identity();
  with.handler = "lua";
  CHECK(decode_identity(encode(with)).value() == with);
  const Status same = check_same(with, example_identity(), "DIR");
  REQUIRE_FALSE(same.ok());
  CHECK(has(same.error().text, "--handler lua there, none here"));
}

TEST_CASE("identity: what differs is named with both values") {
  Identity wanted = example_identity();
  wanted.stream = "another";
  CHECK(check_same(example_identity(), wanted, "DIR").ok());
  wanted.topics = {"test", "more"};
  wanted.split = "words";
  const Status same = check_same(example_identity(), wanted, "DIR");
  REQUIRE_FALSE(same.ok());
  CHECK(same.error().code == ExitCode::kConfig);
  CHECK(
      has(same.error().text, "topics test there, test,more here; --split space there, words here"));
}

TEST_CASE("identity: stream ids are random UUIDs") {
  const std::string id = new_stream_id();
  CHECK(id.size() == 36);
  CHECK(id[14] == '4');
  CHECK(id != new_stream_id());
}

TEST_CASE("checkpoint store: a commit and the next intent are one replacement") {
  MemoryFiles files;
  CheckpointStore store(files, "d");
  REQUIRE(store.begin(example_identity(), {{kA, 10}}).ok());
  files.writes = 0;
  REQUIRE(store.intend({1, 1000, {{kA, 10, 20}}}).ok());
  store.complete();
  CHECK(files.writes == 1);
  REQUIRE(store.intend({2, 2000, {{kA, 20, 25}}}).ok());
  CHECK(files.writes == 2);
  const auto stored = read_state(files, "d").value();
  REQUIRE(stored);
  CHECK(stored->checkpoint == store.now());
  CHECK(stored->checkpoint.committed == Committed{1, 1000, {{kA, 20}}});
  store.complete();
  REQUIRE(store.settle().ok());
  REQUIRE(store.settle().ok());
  CHECK(files.writes == 3);
  CHECK(read_state(files, "d").value()->checkpoint.committed.next == OffsetMap{{kA, 25}});
}

TEST_CASE("checkpoint store: an intent that could not be stored is none") {
  MemoryFiles files;
  CheckpointStore store(files, "d");
  REQUIRE(store.begin(example_identity(), {{kA, 10}}).ok());
  files.failure = Error{ExitCode::kIoError, "full", true};
  CHECK_FALSE(store.intend({1, 1000, {{kA, 10, 20}}}).ok());
  CHECK_FALSE(store.now().intent);
  files.failure.reset();
  CHECK(store.intend({1, 1000, {{kA, 10, 30}}}).ok());
  CHECK(store.now().intent->ranges[0].until == 30);
}

TEST_CASE("checkpoint store: a batch that is given up keeps its number and moves nothing") {
  CheckpointStore store;
  REQUIRE(store.begin(example_identity(), {{kA, 10}}).ok());
  REQUIRE(store.intend({1, 1000, {{kA, 10, 20}}}).ok());
  store.abandon();
  store.move({{kA, 15}});
  CHECK(store.now().committed == Committed{1, 1000, {{kA, 15}}});
  CHECK(store.intend({2, 2000, {{kA, 15, 20}}}).ok());
}

TEST_CASE("state files: what is missing or does not fit is refused") {
  MemoryFiles files;
  CHECK_FALSE(read_state(files, "d").value());
  Checkpoint first = example();
  first.committed.batch = 0;
  first.intent.reset();
  files.files["d/checkpoint"] = encode(first);
  CHECK_FALSE(read_state(files, "d").value());  // a first start that did not come to its end

  files.files["d/checkpoint"] = encode(example());
  CHECK(has(read_state(files, "d").error().text, "d/IDENTITY: is missing beside a checkpoint"));
  files.files["d/IDENTITY"] = encode(example_identity());
  CHECK(read_state(files, "d").value()->checkpoint == example());
  files.files.erase("d/checkpoint");
  CHECK(has(read_state(files, "d").error().text, "d/checkpoint: is missing beside an IDENTITY"));
  Checkpoint other = example();
  other.stream = "other";
  files.files["d/checkpoint"] = encode(other);
  CHECK(has(read_state(files, "d").error().text, "is of stream other"));
  files.files["d/checkpoint"] = "";
  CHECK(has(read_state(files, "d").error().text, "d/checkpoint: it is empty"));
  CHECK(read_state(files, "d").error().code == ExitCode::kData);
}

}  // namespace kstream

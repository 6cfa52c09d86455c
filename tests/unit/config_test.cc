#include "catch.h"
#include "config/command_line.h"
#include "config/options.h"
#include "config/places.h"

namespace kstream {
namespace {

using Environment = std::map<std::string, std::string>;

Result<std::variant<Settings, Printout>> parse(const std::vector<std::string>& words,
                                               const Environment& environment = {}) {
  return parse_command_line(words, environment);
}

Settings settings(std::vector<std::string> words, const Environment& environment = {}) {
  words.insert(words.begin(), {"wordcount", "-b", "h:9092", "-t", "test"});
  return std::get<Settings>(parse(words, environment).value());
}

std::string refusal(std::vector<std::string> words) {
  words.insert(words.begin(), {"wordcount", "-b", "h:9092", "-t", "test"});
  const auto result = parse(words);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ExitCode::kUsage);
  return result.error().text;
}

}  // namespace

TEST_CASE("options: each has a key, a help and an effect, and no spelling twice") {
  for (const unsigned use : {kForWordcount, kForProduce, kForBroker}) {
    std::map<std::string, int> spellings;
    for (const Option& option : options()) {
      INFO(option.key);
      CHECK_FALSE(option.help.empty());
      CHECK(option.apply != nullptr);
      if ((option.uses & use) != 0) {
        CHECK(++spellings["--" + std::string(option.key)] == 1);
      }
    }
  }
}

TEST_CASE("command line: the last N of each partition, in every spelling") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"-o", "-10"}, {"--from", "-10"}, {"--from=-10"}, {"-o-10"}}) {
    INFO(words[0]);
    CHECK(settings(words).from == Place(LastRecords{10}));
  }
}

TEST_CASE("command line: how values become words") {
  const Settings none = settings({});
  CHECK(to_string(none.decode) == "utf8");
  CHECK(none.on_invalid == OnInvalid::kReplace);
  CHECK_FALSE(none.is_lower);
  CHECK(none.characters_min == 0);
  CHECK_FALSE(none.stop_words);
  for (const std::string text : {"utf8", "latin1", "bytes", "json:", "json:/", "json:/a~1b/0"}) {
    CHECK(to_string(settings({"--decode", text}).decode) == text);
  }
  CHECK(settings({"--decode", "json:/a~1b/0"}).decode.pointer.names ==
        std::vector<std::string>{"a/b", "0"});
  CHECK(settings({"--decode", "json:/a", "--decode", "utf8"}).decode.pointer.names.empty());
  CHECK(settings({"--on-invalid", "skip"}).on_invalid == OnInvalid::kSkip);
  CHECK(settings({"--lower"}).is_lower);
  CHECK(settings({"--min-length", "3"}).characters_min == 3);
  CHECK(settings({"--stopwords", "f"}).stop_words == "f");
  CHECK_FALSE(none.handler);
  CHECK(settings({"--handler", "f.lua"}).handler == "f.lua");
  CHECK(refusal({"--decode", "json"}).find("json:/NAME") != std::string::npos);
  CHECK(refusal({"--decode", "utf-8"}).find("did you mean 'utf8'?") != std::string::npos);
  CHECK(refusal({"--decode", "json:a"}).find("as in /a") != std::string::npos);
  CHECK(refusal({"--decode", "utf8:/a"}).find("'utf8:/a' is not one of") != std::string::npos);
  CHECK(refusal({"--min-length", "x"}).find("--min-length") != std::string::npos);
  CHECK(refusal({"--stopwords", ""}).find("not a file") != std::string::npos);
  CHECK(refusal({"--handler", ""}).find("not a file") != std::string::npos);
}

TEST_CASE("command line: start and stop words of kcat, Kafka and Spark") {
  for (const char* word : {"earliest", "beginning", "smallest"}) {
    CHECK(settings({"--from", word}).from == Place(Earliest{}));
  }
  for (const char* word : {"latest", "end", "largest"}) {
    CHECK(settings({"-o", word}).from == Place(Latest{}));
  }
  CHECK(settings({"--from-beginning"}).from == Place(Earliest{}));
  CHECK(settings({"-X", "auto.offset.reset=smallest"}).from == Place(Earliest{}));
  CHECK(settings({"-o", "a:0:5,b:1:0"}).from == Place(OffsetMap{{{"a", 0}, 5}, {{"b", 1}, 0}}));
  CHECK(settings({"-e"}).until == Place(Latest{}));
}

TEST_CASE("command line: brokers in each of their spellings") {
  for (const char* name :
       {"-b", "--brokers", "--bootstrap-server", "--bootstrap-servers", "--broker-list"}) {
    const auto result = parse({"wordcount", name, "h:1,i:2", "-t", "x"});
    CHECK(std::get<Settings>(result.value()).client.brokers == "h:1,i:2");
  }
  for (const char* name : {"metadata.broker.list", "bootstrap.servers"}) {
    const auto result = parse({"wordcount", "-X", std::string(name) + "=h:1", "-t", "x"});
    CHECK(std::get<Settings>(result.value()).client.brokers == "h:1");
  }
}

TEST_CASE("command line: topics are a list without repetition") {
  CHECK(settings({"-t", "a,b", "--topic", "a", "-t", "^c.*"}).topics ==
        std::vector<std::string>{"test", "a", "b", "^c.*"});
}

TEST_CASE("command line: pprint and scala show 10 words, the others all, unless told") {
  CHECK(settings({}).presentation.top == 10U);
  CHECK(settings({"--format", "scala"}).presentation.top == 10U);
  CHECK_FALSE(settings({"--format", "tsv"}).presentation.top);
  CHECK_FALSE(settings({"--top", "all"}).presentation.top);
  CHECK(settings({"--format", "json", "--top", "3"}).presentation.top == 3U);
}

TEST_CASE("command line: each kernel that the CPU can run, by default the first") {
  CHECK(settings({}).kernel == kernels().front());
  for (const Kernel* kernel : kernels()) {
    CHECK(settings({"--kernel", std::string(kernel->name)}).kernel == kernel);
  }
}

TEST_CASE("command line: wrong values are refused with help") {
  CHECK(refusal({"--format", "jsno"}).find("did you mean 'json'") != std::string::npos);
  CHECK(refusal({"--kernel", "sse"}).find("scalar") != std::string::npos);
  CHECK(refusal({"--top", "-1"}).find("--top") != std::string::npos);
  CHECK(refusal({"--batches", "0"}).find("--batches") != std::string::npos);
  CHECK(refusal({"--from", ""}).find("not a place") != std::string::npos);
  CHECK(refusal({"--from", "-0"}).find("not a place") != std::string::npos);
  CHECK(refusal({"--from", "test:0:-5"}).find("not an offset") != std::string::npos);
  CHECK(refusal({"--from", "test:0:1,test:0:2"}).find("twice") != std::string::npos);
  CHECK(refusal({"--until", "earliest"}).find("not an end") != std::string::npos);
  CHECK(refusal({"--range", "test:0:1"}).find("FROM:UNTIL") != std::string::npos);
  CHECK(refusal({"--range", "test:0:1:2", "--range", "test:0:3:4"}).find("one each") !=
        std::string::npos);
  CHECK(refusal({"--range", "test:0:1:2", "--once"}).find("does not go with") != std::string::npos);
  CHECK(refusal({"--topic", "^("}).find("regular expression") != std::string::npos);
  CHECK(refusal({"--feed", "x"}).find("embedded") != std::string::npos);
  CHECK(refusal({"-X", "isolation.level=read_uncommitted"}).find("--read-uncommitted") !=
        std::string::npos);
  CHECK(refusal({"--brokers", "h:0"}).find("HOST:PORT") != std::string::npos);
  CHECK(refusal({"stray"}).find("unknown word 'stray'") != std::string::npos);
  CHECK(refusal({"--offset"}).find("did you mean '--offsets'") != std::string::npos);
}

TEST_CASE("command line: precedence is command line, environment, default") {
  CHECK(settings({}).interval == std::chrono::seconds(2));
  CHECK(settings({}, {{"KSTREAM_INTERVAL", "3s"}}).interval == std::chrono::seconds(3));
  CHECK(settings({"--interval", "4s"}, {{"KSTREAM_INTERVAL", "3s"}}).interval ==
        std::chrono::seconds(4));
  CHECK(settings({}, {{"KSTREAM_OFFSETS", "true"}}).presentation.offsets);
  CHECK_FALSE(settings({}, {{"KSTREAM_OFFSETS", "false"}}).presentation.offsets);
}

TEST_CASE("command line: secrets are not printed") {
  const auto result = parse({"wordcount", "-b", "h:1", "-t", "x", "-X", "sasl.password=hunter2",
                             "-X", "client.id=me", "--print-config"});
  const std::string text = std::get<Printout>(result.value()).text;
  CHECK(text.find("hunter2") == std::string::npos);
  CHECK(text.find("sasl.password=(hidden)") != std::string::npos);
  CHECK(text.find("client.id=me") != std::string::npos);
}

TEST_CASE("places: each way to name one") {
  CHECK(parse_place("latest").value() == Place(Latest{}));
  CHECK(parse_place("largest").value() == Place(Latest{}));
  CHECK(parse_place("smallest").value() == Place(Earliest{}));
  CHECK(parse_place("committed").value() == Place(GroupPosition{}));
  CHECK(parse_place("-5").value() == Place(LastRecords{5}));
  CHECK(parse_place("@2026-01-31T10:00Z").value() == Place(AtTime{1769853600000}));
  CHECK(parse_place("@-1h").value() == Place(Ago{std::chrono::hours(1)}));
  CHECK(parse_place("a:0:7,a:1:9").value() == Place(OffsetMap{{{"a", 0}, 7}, {{"a", 1}, 9}}));
  for (const char* bad : {"@", "@-", "@-5", "@yesterday", "commited", "a:0", "a:0:-1"}) {
    CHECK_FALSE(parse_place(bad).ok());
  }
}

TEST_CASE("places: a topic's name is Kafka's") {
  CHECK(check_topic("a.b_c-D9").ok());
  CHECK(check_topic(std::string(249, 'a')).ok());
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a b"), std::string("a/b"),
        std::string(250, 'a'), std::string("é")}) {
    INFO(bad);
    CHECK_FALSE(check_topic(bad).ok());
  }
}

TEST_CASE("state: convert needs brokers, the others do not") {
  CHECK(std::get<Settings>(parse({"state", "verify", "d"}).value()).client.brokers.empty());
  const auto refused = parse({"state", "convert", "d"});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ExitCode::kUsage);
  CHECK(refused.error().text.find("--brokers") != std::string::npos);
  const auto convert = parse({"state", "convert", "-b", "h:9092", "-g", "g", "d"}).value();
  CHECK(std::get<Settings>(convert).state_action == StateAction::kConvert);
  CHECK(std::get<Settings>(convert).group == "g");
}

TEST_CASE("receiver: what follows from the mode") {
  const Settings receiver = settings({"--mode", "receiver"});
  CHECK(receiver.interval == std::chrono::milliseconds(1000));
  CHECK(receiver.group == "kstream");
  CHECK(receiver.has_wal == false);
  CHECK(settings({"--mode", "receiver", "-i", "2s"}).interval == std::chrono::milliseconds(2000));
  CHECK(settings({"--mode", "receiver", "--state-dir", "d"}).has_wal == true);
  CHECK(settings({"--mode", "receiver", "--state-dir", "d", "--no-wal"}).has_wal == false);
  CHECK(settings({"--mode", "receiver", "--from", "committed"}).from == Place(Latest{}));
  CHECK(settings({"--mode", "receiver", "-e"}).until == Place(Latest{}));
  CHECK(settings({"--mode", "receiver", "--wal-max", "16MiB"}).wal_bytes_max == 16 << 20);
}

TEST_CASE("receiver: threads of a topic") {
  const Settings receiver = settings({"--mode", "receiver", "-t", "a=3,b", "-t", "c=1"});
  CHECK(receiver.topics == std::vector<std::string>{"test", "a", "b", "c"});
  CHECK(receiver.threads_of == std::map<std::string, std::size_t>{{"a", 3}, {"c", 1}});
  for (const char* bad : {"a=0", "a=", "a=x", "=3", "a=1=2"}) {
    INFO(bad);
    refusal({"--mode", "receiver", "-t", bad});
  }
}

TEST_CASE("receiver: what does not go with the mode is refused by name") {
  const auto names = [](std::vector<std::string> words, const std::string& option) {
    CHECK(refusal(std::move(words)).find(option) != std::string::npos);
  };
  names({"--mode", "receiver", "--once"}, "--once");
  names({"--mode", "receiver", "--range", "test:0:1:2"}, "--range");
  names({"--mode", "receiver", "--until", "@2026-01-31T10:00Z"}, "--until");
  names({"--mode", "receiver", "--from", "test:0:7"}, "--from");
  names({"--mode", "receiver", "--max-rate-per-partition", "7"}, "--max-rate-per-partition");
  names({"--mode", "receiver", "--wal"}, "--state-dir");
  names({"--mode", "receiver", "--wal-max", "1MiB"}, "16MiB");
  names({"--mode", "receiver", "-X", "partition.assignment.strategy=cooperative-sticky"},
        "partition.assignment.strategy");
  names({"--wal", "--state-dir", "d"}, "--mode receiver");
  names({"-t", "a=2"}, "--mode receiver");
  names({"--max-rate", "7"}, "--mode receiver");
  names({"--mode", "recever"}, "did you mean 'receiver'");
}

TEST_CASE("options: counts do not go to a topic that is read") {
  CHECK(settings({"--output", "kafka:counts"}).outputs ==
        std::vector<OutputTarget>{{OutputKind::kKafka, "counts"}});
  CHECK(refusal({"--output", "kafka:test"}).find("kafka:test") != std::string::npos);
  CHECK(refusal({"-t", "^co.*s", "--output", "kafka:counts"}).find("^co.*s") != std::string::npos);
  CHECK(settings({"-t", "^ounts", "--output", "kafka:counts"}).outputs.size() == 1);
  CHECK(settings({"-t", "^$", "--output", "stdout"}).outputs.size() == 1);
  refusal({"--output", "kafka:^counts"});
  refusal({"--output", "kafka:a/b"});
  refusal({"-X", "transactional.id=mine"});
}

}  // namespace kstream

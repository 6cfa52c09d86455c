// sink_write DIRECTORY POSTGRES_URL BROKERS TOPIC [WORDS [ROUNDS]]: batches of distinct words
// (50,000, in 11 rounds) to each output, by turns as kstream writes them and in a plain loop with
// the same library, which makes its rows as safe. Prints the medians and a line for each goal.
//
// The plain loops are what somebody writes who has an afternoon: prepared statements in one
// transaction, COPY, a transactional producer, a file that is synced and renamed. They keep neither
// batches nor positions.
#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kafka/handles.h"
#include "os/file_system.h"
#include "sink/batch_files.h"
#include "sink/kafka_topic.h"
#include "sink/postgres.h"
#include "sink/sqlite.h"
#include "spill/scratch_space.h"

namespace {

using namespace kstream;

constexpr const char* kTime = "2026-01-31T10:00:00Z";
constexpr int kTimeoutMs = 30'000;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "sink_write: %s\n", what.c_str());
  std::exit(1);
}

void expect(bool is_right, const std::string& what) {
  if (!is_right) {
    fail(what);
  }
}

void expect(const Status& status) {
  expect(status.ok(), status.ok() ? "" : status.error().text);
}

template <class T>
T value_of(Result<T> result) {
  expect(result.ok(), result.ok() ? "" : result.error().text);
  return std::move(result).value();
}

class Words final : public CountedWords {
 public:
  explicit Words(int count) {
    texts_.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      texts_.push_back(fmt::format("word{}", i));
      counts_.push_back({texts_.back(), static_cast<std::uint64_t>(i % 1000 + 1)});
    }
  }
  std::uint64_t size() const override { return counts_.size(); }
  bool are_kept() const override { return true; }
  Status for_each(const Visit& visit) const override { return visit(counts_); }
  const std::vector<WordCount>& counts() const { return counts_; }

 private:
  std::vector<std::string> texts_;
  std::vector<WordCount> counts_;
};

// One output: kstream's way and the plain one, each a whole batch.
struct Contest {
  const char* name;
  double goal_ms;
  std::unique_ptr<Sink> sink;
  std::function<void(int number)> by_hand;
};

// --- the plain loops; what they open lives as long as the program

std::function<void(int)> sqlite_by_hand(const std::string& path, const Words& words) {
  sqlite3* database = nullptr;
  expect(sqlite3_open(path.c_str(), &database) == SQLITE_OK, path);
  const auto run = [database](const char* sql) {
    expect(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK,
           sqlite3_errmsg(database));
  };
  run("PRAGMA journal_mode=WAL");
  run("PRAGMA synchronous=FULL");
  run("CREATE TABLE counts (stream TEXT NOT NULL, batch INTEGER NOT NULL, time TEXT NOT NULL, word "
      "TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (stream, batch, word)) WITHOUT ROWID");
  sqlite3_stmt* insert = nullptr;
  expect(sqlite3_prepare_v2(database, "INSERT INTO counts VALUES (?, ?, ?, ?, ?)", -1, &insert,
                            nullptr) == SQLITE_OK,
         sqlite3_errmsg(database));
  return [=, &words](int number) {
    run("BEGIN");
    for (const WordCount& word : words.counts()) {
      sqlite3_bind_text(insert, 1, "bench", -1, SQLITE_STATIC);
      sqlite3_bind_int64(insert, 2, number);
      sqlite3_bind_text(insert, 3, kTime, -1, SQLITE_STATIC);
      sqlite3_bind_text(insert, 4, word.word.data(), static_cast<int>(word.word.size()),
                        SQLITE_STATIC);
      sqlite3_bind_int64(insert, 5, static_cast<std::int64_t>(word.count));
      expect(sqlite3_step(insert) == SQLITE_DONE, sqlite3_errmsg(database));
      sqlite3_reset(insert);
    }
    run("COMMIT");
  };
}

std::function<void(int)> postgres_by_hand(const std::string& url, const Words& words) {
  PGconn* connection = PQconnectdb(url.c_str());
  expect(PQstatus(connection) == CONNECTION_OK, PQerrorMessage(connection));
  const auto run = [connection](const char* sql, ExecStatusType wanted) {
    PGresult* result = PQexec(connection, sql);
    expect(PQresultStatus(result) == wanted, PQerrorMessage(connection));
    PQclear(result);
  };
  run("CREATE TABLE IF NOT EXISTS by_hand (stream text NOT NULL, batch bigint NOT NULL, time "
      "timestamptz NOT NULL, word text NOT NULL, count bigint NOT NULL)",
      PGRES_COMMAND_OK);
  run("CREATE INDEX IF NOT EXISTS by_hand_batch ON by_hand (stream, batch)", PGRES_COMMAND_OK);
  return [=, &words](int number) {
    run("BEGIN", PGRES_COMMAND_OK);
    run("COPY by_hand FROM STDIN", PGRES_COPY_IN);
    for (const WordCount& word : words.counts()) {
      const std::string row =
          fmt::format("bench\t{}\t{}\t{}\t{}\n", number, kTime, word.word, word.count);
      expect(PQputCopyData(connection, row.data(), static_cast<int>(row.size())) == 1,
             PQerrorMessage(connection));
    }
    expect(PQputCopyEnd(connection, nullptr) == 1, PQerrorMessage(connection));
    PGresult* result = PQgetResult(connection);
    expect(PQresultStatus(result) == PGRES_COMMAND_OK, PQerrorMessage(connection));
    PQclear(result);
    PQclear(PQgetResult(connection));
    run("COMMIT", PGRES_COMMAND_OK);
  };
}

std::function<void(int)> file_by_hand(const std::string& directory, const Words& words) {
  return [=, &words](int number) {
    const std::string path = fmt::format("{}/by-hand-{}.json", directory, number);
    std::FILE* file = std::fopen((path + ".tmp").c_str(), "w");
    expect(file != nullptr, path);
    std::fprintf(file, R"({"batch":%d,"time":"%s","counts":[)", number, kTime);
    std::vector<WordCount> sorted = words.counts();  // the most frequent first, as kstream's
    std::sort(sorted.begin(), sorted.end(), [](const WordCount& left, const WordCount& right) {
      return left.count != right.count ? left.count > right.count : left.word < right.word;
    });
    const char* comma = "";
    for (const WordCount& word : sorted) {
      std::fprintf(file, "%s[\"%.*s\",%llu]", comma, static_cast<int>(word.word.size()),
                   word.word.data(), static_cast<unsigned long long>(word.count));
      comma = ",";
    }
    std::fputs("]}\n", file);
    expect(std::fflush(file) == 0 && fsync(fileno(file)) == 0, path);
    std::fclose(file);
    expect(std::rename((path + ".tmp").c_str(), path.c_str()) == 0, path);
    const int folder = open(directory.c_str(), O_RDONLY | O_DIRECTORY);
    expect(folder >= 0 && fsync(folder) == 0, directory);
    close(folder);
  };
}

std::function<void(int)> kafka_by_hand(const std::string& brokers, const std::string& topic_name,
                                       const Words& words) {
  const auto run = [](rd_kafka_error_t* error) {
    expect(error == nullptr, error == nullptr ? "" : rd_kafka_error_string(error));
  };
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char reason[512];
  rd_kafka_conf_set(conf, "bootstrap.servers", brokers.c_str(), reason, sizeof reason);
  rd_kafka_conf_set(conf, "transactional.id", ("by-hand:" + topic_name).c_str(), reason,
                    sizeof reason);
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
  run(rd_kafka_init_transactions(producer, kTimeoutMs));
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, topic_name.c_str(), nullptr);
  return [=, &words](int number) {
    const std::string batch = std::to_string(number);
    run(rd_kafka_begin_transaction(producer));
    for (const WordCount& word : words.counts()) {
      const std::string count = std::to_string(word.count);
      const auto send = [&] {
        return rd_kafka_producev(
            producer, RD_KAFKA_VTYPE_RKT, topic, RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_MSG_F_COPY,
            RD_KAFKA_VTYPE_KEY, word.word.data(), word.word.size(), RD_KAFKA_VTYPE_VALUE,
            count.data(), count.size(), RD_KAFKA_VTYPE_HEADER, "batch", batch.data(), batch.size(),
            RD_KAFKA_VTYPE_HEADER, "time", kTime, std::strlen(kTime), RD_KAFKA_VTYPE_END);
      };
      while (send() != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_poll(producer, 1);
      }
    }
    run(rd_kafka_commit_transaction(producer, kTimeoutMs));
  };
}

// --- the comparison

double milliseconds(const std::function<void()>& write) {
  const auto start = std::chrono::steady_clock::now();
  write();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print_goal(const std::string& name, double value, const char* goal, bool is_ok) {
  fmt::print("{} {:.2f} {} {}\n", name, value, goal, is_ok ? "ok" : "short");
}

void compare(const Contest& contest, const Words& words, int rounds) {
  std::vector<double> ours;
  std::vector<double> by_hand;
  expect(contest.sink->last_batch().ok(), contest.sink->name());
  for (int number = 1; number <= rounds + 1; ++number) {
    const BatchPlan plan{
        number, 1'769'853'600'000 + number, {{{"bench", 0}, number * 10, number * 10 + 10}}};
    const BatchResult result{plan, std::chrono::seconds(1), {10, 0, 0, words.size()}, words};
    const double ours_ms = milliseconds([&] { expect(contest.sink->write(result)); });
    const double by_hand_ms = milliseconds([&] { contest.by_hand(number); });
    if (number > 1) {  // the first one waits for what is not known yet, on both sides
      ours.push_back(ours_ms);
      by_hand.push_back(by_hand_ms);
    }
  }
  fmt::print("{}: {} words in {:.0f} ms, by hand in {:.0f} ms\n", contest.name, words.size(),
             median(ours), median(by_hand));
  const std::string name = std::string("sink-") + contest.name;
  print_goal(name + "-ms", median(ours), fmt::format("<={:.0f}", contest.goal_ms).c_str(),
             median(ours) <= contest.goal_ms);
  const double ratio = median(by_hand) / median(ours);
  print_goal(name + "-rows-per-s-of-by-hand", ratio, ">=0.8", ratio >= 0.8);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5 || argc > 7) {
    fail("usage: sink_write DIRECTORY POSTGRES_URL BROKERS TOPIC [WORDS [ROUNDS]]");
  }
  const std::string directory = argv[1];
  const std::string url = argv[2];
  const std::string brokers = argv[3];
  const std::string topic = argv[4];
  const Words words(argc > 5 ? std::atoi(argv[5]) : 50'000);
  const int rounds = argc > 6 ? std::atoi(argv[6]) : 11;

  SystemFileSystem files;
  ScratchSpace space(directory, 0);
  kafka::ClientConfig client;
  client.brokers = brokers;
  Presentation presentation;
  presentation.format = OutputFormat::kJson;
  const std::string output = directory + "/files";
  expect(files.make_directory(output));

  std::vector<Contest> contests;
  contests.push_back({"sqlite", 250, value_of(SqliteSink::open(directory + "/kstream.db", "bench")),
                      sqlite_by_hand(directory + "/by-hand.db", words)});
  contests.push_back(
      {"postgres", 400, value_of(PostgresSink::open(url, "bench")), postgres_by_hand(url, words)});
  contests.push_back({"file", 60,
                      value_of(BatchFiles::open({output, "bench", presentation, Compression::kNone,
                                                 std::size_t{64} << 20},
                                                files, space)),
                      file_by_hand(directory, words)});
  contests.push_back({"kafka", 250,
                      std::make_unique<KafkaTopicSink>(client, topic, "bench", std::nullopt),
                      kafka_by_hand(brokers, topic, words)});
  for (const Contest& contest : contests) {
    compare(contest, words, rounds);
  }
  return 0;
}

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "catch.h"
#include "os/file_system.h"
#include "os/line_reader.h"
#include "os/output.h"
#include "os/private_directory.h"
#include "temporary_directory.h"

namespace kstream {
namespace {

// A file that is gone when the test ends.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    REQUIRE(SystemFileSystem().write_synced(path_, content).ok());
  }
  const std::string& path() const { return path_; }

 private:
  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/file";
};

std::vector<std::string> lines_of(LineReader& reader) {
  std::vector<std::string> lines;
  while (auto line = reader.next({}).value()) {
    lines.emplace_back(*line);
  }
  return lines;
}

std::vector<std::string> lines_of(const std::string& content) {
  const TemporaryFile file(content);
  LineReader reader = LineReader::open(file.path()).value();
  return lines_of(reader);
}

}  // namespace

TEST_CASE("line reader: lines end with a newline, the last one may lack it") {
  using Lines = std::vector<std::string>;
  CHECK(lines_of("").empty());
  CHECK(lines_of("\n") == Lines{""});
  CHECK(lines_of("a") == Lines{"a"});
  CHECK(lines_of("a\n\nb\r\n") == Lines{"a", "", "b\r"});
  CHECK(lines_of(std::string("a\0b\n", 4)) == Lines{std::string("a\0b", 3)});
}

TEST_CASE("line reader: lines of any length, on both sides of its buffer") {
  for (const std::size_t size : {262143, 262144, 262145, 1048576, 16777216}) {
    const std::string line(size, 'x');
    CHECK(lines_of(line + "\ny\n" + line) == std::vector<std::string>{line, "y", line});
  }
}

TEST_CASE("line reader: a line beyond the limit is refused, never cut") {
  const TemporaryFile file("a\n" + std::string(LineReader::kLineBytesMax + 1, 'x') + "\n");
  LineReader reader = LineReader::open(file.path()).value();
  CHECK(reader.next({}).ok());
  const auto result = reader.next({});
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ExitCode::kData);
  CHECK(result.error().text.find("line 2") != std::string::npos);
}

TEST_CASE("line reader: counts ahead and begins again") {
  const TemporaryFile file("a\nb\nc");
  LineReader reader = LineReader::open(file.path()).value();
  CHECK(reader.count_lines_and_rewind({}).value() == 3);
  CHECK(lines_of(reader) == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("line reader: a file that is not there is missing input") {
  const auto result = LineReader::open("/nonexistent/file");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ExitCode::kNoInput);
}

TEST_CASE("output: a reader that has gone is noticed with and without something to write") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  Output output(ends[1], "pipe");
  CHECK(output.check_reader().ok());
  ::close(ends[0]);
  CHECK(output.check_reader().error().code == ExitCode::kReaderGone);
  ::close(ends[1]);
  CHECK(output.write("x").error().code == ExitCode::kIoError);
}

TEST_CASE("file system: a file is replaced as a whole, and is private") {
  const TemporaryDirectory directory;
  SystemFileSystem files;
  const std::string path = directory.path() + "/name";
  CHECK_FALSE(files.read(path).value());
  REQUIRE(replace_file(files, directory.path(), "name", "one").ok());
  REQUIRE(replace_file(files, directory.path(), "name", "second").ok());
  CHECK(files.read(path).value() == "second");
  CHECK_FALSE(files.read(path + ".tmp").value());
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms(0777)) ==
        std::filesystem::perms(0600));
}

TEST_CASE("file system: errors name the path") {
  SystemFileSystem files;
  const Status failed = replace_file(files, "/nonexistent", "name", "x");
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == ExitCode::kIoError);
  CHECK(failed.error().text.find("/nonexistent/name.tmp") != std::string::npos);
  CHECK_FALSE(files.read("/tmp").ok());
}

TEST_CASE("file system: a file is written in place, extended with zeros, cut and read in part") {
  const TemporaryDirectory parent;
  SystemFileSystem files;
  const std::string directory = parent.path() + "/sub";
  REQUIRE(files.make_directory(directory).ok());
  CHECK(files.make_directory(directory).ok());
  CHECK(files.make_directory(parent.path() + "/no/way").error().code == ExitCode::kCannotCreate);
  const std::string path = directory + "/b";
  {
    auto file = files.create(path);
    REQUIRE(file.ok());
    REQUIRE(file.value()->extend(0, 8192).ok());
    REQUIRE(file.value()->write_at(4094, "abcd").ok());
    REQUIRE(file.value()->truncate(5000).ok());
    REQUIRE(file.value()->extend(5000, 6000).ok());
    REQUIRE(file.value()->sync().ok());
  }
  std::string part(10, 'x');
  CHECK(files.read_at(path, 4092, part).value() == 10);
  CHECK(part == std::string("\0\0abcd\0\0\0\0", 10));
  CHECK(files.read_at(path, 5995, part).value() == 5);
  CHECK(files.read_at(path, 6000, part).value() == 0);
  CHECK_FALSE(files.read_at(path + "x", 0, part).ok());
  REQUIRE(files.create(directory + "/a").ok());
  CHECK(files.names(directory).value() == std::vector<std::string>{"a", "b"});
  REQUIRE(files.remove(path).ok());
  CHECK(files.remove(path).ok());
  CHECK(files.names(directory).value() == std::vector<std::string>{"a"});
  CHECK_FALSE(files.names(path).ok());
}

TEST_CASE("private directory: one process at a time, nobody else's") {
  const TemporaryDirectory parent;
  SystemClock clock;
  const std::string path = parent.path() + "/deep/state";
  {
    auto first = PrivateDirectory::open(path, false, clock);
    REQUIRE(first.ok());
    CHECK(first.value().names().value() == std::vector<std::string>{"LOCK"});
    const auto second = PrivateDirectory::open(path, false, clock);
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().code == ExitCode::kTryAgain);
    CHECK(second.error().text.find(std::to_string(::getpid())) != std::string::npos);
  }
  CHECK(PrivateDirectory::open(path, false, clock).ok());

  std::filesystem::permissions(path, std::filesystem::perms(0750));
  CHECK(PrivateDirectory::open(path, false, clock).error().code == ExitCode::kNoPermission);
  const TemporaryFile file("x");
  CHECK(PrivateDirectory::open(file.path(), false, clock).error().code == ExitCode::kCannotCreate);
  CHECK(PrivateDirectory::open(file.path() + "/below", false, clock).error().code ==
        ExitCode::kCannotCreate);
}

}  // namespace kstream

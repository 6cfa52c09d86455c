#include "app/outputs.h"

#include <utility>

#include "os/lock_file.h"
#include "sink/batch_files.h"
#include "sink/console.h"
#include "sink/kafka_topic.h"
#include "sink/postgres.h"
#include "sink/sqlite.h"

namespace kstream {
namespace {

constexpr const char* kLockName = "kstream-lock";

// Its place is there for others to read: all words, unless told otherwise, in a form for programs.
Presentation file_presentation(const Settings& settings) {
  Presentation presentation = settings.presentation;
  if (!settings.is_format_chosen) {
    presentation.format = OutputFormat::kJson;
  }
  if (!settings.is_top_chosen) {
    presentation.top.reset();
  }
  return presentation;
}

}  // namespace

Result<Outputs> Outputs::open(const Settings& settings, const kafka::ClientConfig& client,
                              Output& output, std::size_t memory_bytes, ScratchSpace& space,
                              Clock& clock) {
  Outputs outputs;
  outputs.files_ = std::make_unique<SystemFileSystem>(SystemFileSystem::Readers::kAll);
  for (const OutputTarget& target : settings.outputs) {
    switch (target.kind) {
      case OutputKind::kStdout: {
        Presentation presentation = settings.presentation;
        presentation.is_terminal = output.is_terminal();
        outputs.sinks_.push_back(
            std::make_unique<Console>(output, presentation, memory_bytes, space));
        break;
      }
      case OutputKind::kFiles: {
        KS_TRY(outputs.files_->make_directory(target.place));
        KS_TRY_VALUE(lock, lock_file(target.place + "/" + kLockName, "file:" + target.place,
                                     "Stop that one, or name another directory.", clock));
        outputs.locks_.push_back(std::move(lock));
        KS_TRY_VALUE(sink,
                     BatchFiles::open({target.place, settings.name, file_presentation(settings),
                                       settings.compression, memory_bytes},
                                      *outputs.files_, space));
        outputs.sinks_.push_back(std::move(sink));
        break;
      }
      case OutputKind::kSqlite: {
        KS_TRY_VALUE(sink, SqliteSink::open(target.place, settings.name));
        outputs.sinks_.push_back(std::move(sink));
        break;
      }
      case OutputKind::kKafka:
        // A group that is joined gets its positions from its members.
        outputs.sinks_.push_back(std::make_unique<KafkaTopicSink>(
            client, target.place, settings.name,
            settings.mode == Mode::kDirect ? settings.group : std::nullopt));
        break;
      case OutputKind::kPostgres: {
        KS_TRY_VALUE(sink, PostgresSink::open(target.place, settings.name));
        outputs.sinks_.push_back(std::move(sink));
        break;
      }
    }
  }
  return outputs;
}

std::vector<Sink*> Outputs::sinks() const {
  std::vector<Sink*> sinks;
  for (const std::unique_ptr<Sink>& sink : sinks_) {
    sinks.push_back(sink.get());
  }
  return sinks;
}

}  // namespace kstream

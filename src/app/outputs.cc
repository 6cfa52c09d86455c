#include "app/outputs.h"

#include <utility>

#include "sink/console.h"
#include "sink/sqlite.h"

namespace kstream {
namespace {

Result<std::unique_ptr<Sink>> open_output(const OutputTarget& target, const Settings& settings,
                                          Output& output, std::size_t memory_bytes,
                                          ScratchSpace& space) {
  switch (target.kind) {
    case OutputKind::kStdout: {
      Presentation presentation = settings.presentation;
      presentation.is_terminal = output.is_terminal();
      return std::unique_ptr<Sink>(
          std::make_unique<Console>(output, presentation, memory_bytes, space));
    }
    case OutputKind::kSqlite: {
      KS_TRY_VALUE(sink, SqliteSink::open(target.place, settings.name));
      return std::unique_ptr<Sink>(std::move(sink));
    }
  }
  return Error{ExitCode::kInternal, "an output of no kind"};
}

}  // namespace

Result<std::vector<std::unique_ptr<Sink>>> open_outputs(const Settings& settings, Output& output,
                                                        std::size_t memory_bytes,
                                                        ScratchSpace& space) {
  std::vector<std::unique_ptr<Sink>> sinks;
  for (const OutputTarget& target : settings.outputs) {
    KS_TRY_VALUE(sink, open_output(target, settings, output, memory_bytes, space));
    sinks.push_back(std::move(sink));
  }
  return sinks;
}

}  // namespace kstream

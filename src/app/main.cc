// kstream: parses the command line, runs the command, says what went wrong. Nothing else exits.

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <map>
#include <new>
#include <string>
#include <variant>
#include <vector>

#include "app/run.h"
#include "config/command_line.h"
#include "os/output.h"
#include "os/signals.h"
#include "telemetry/log.h"

namespace kstream {
namespace {

std::map<std::string, std::string> environment_of(char** entries) {
  std::map<std::string, std::string> environment;
  for (; *entries != nullptr; ++entries) {
    const std::string entry = *entries;
    const std::size_t equals = entry.find('=');
    if (entry.starts_with("KSTREAM_") && equals != entry.npos) {
      environment[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
  }
  return environment;
}

Status run_state_action(const Settings& settings) {
  switch (settings.state_action) {
    case StateAction::kShow:
    case StateAction::kVerify:
      return run_state(settings);
    case StateAction::kRepair:
      return run_repair(settings);
    case StateAction::kConvert:
      return run_convert(settings);
  }
  return {};
}

Status run(const Settings& settings, Signals& signals) {
  switch (settings.command) {
    case Command::kWordcount:
      return run_wordcount(settings, signals);
    case Command::kProduce:
      return run_produce(settings, signals);
    case Command::kBroker:
      return run_broker(settings, signals);
    case Command::kState:
      return run_state_action(settings);
    case Command::kAdopt:
      return run_adopt(settings);
    case Command::kOffsets:
      return run_offsets(settings);
  }
  return {};
}

Status run_main(const std::vector<std::string>& words,
                const std::map<std::string, std::string>& environment) {
  Signals signals;
  KS_TRY_VALUE(parsed, parse_command_line(words, environment));
  if (const auto* printout = std::get_if<Printout>(&parsed)) {
    return Output(STDOUT_FILENO, "standard output").write(printout->text);
  }
  const Settings& settings = std::get<Settings>(parsed);
  log::start(settings.log_level);
  return run(settings, signals);
}

int main_with_codes(int argc, char** argv, char** entries) {
  try {
    const Status status =
        run_main(std::vector<std::string>(argv + 1, argv + argc), environment_of(entries));
    if (status.ok()) {
      return static_cast<int>(ExitCode::kOk);
    }
    if (status.error().code != ExitCode::kReaderGone) {
      std::fprintf(stderr, "kstream: error: %s\n", status.error().text.c_str());
    }
    return static_cast<int>(status.error().code);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "kstream: error: out of memory\n");
    return static_cast<int>(ExitCode::kOsError);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kstream: internal error: %s. This is a bug.\n", error.what());
    return static_cast<int>(ExitCode::kInternal);
  }
}

}  // namespace
}  // namespace kstream

int main(int argc, char** argv) {
  return kstream::main_with_codes(argc, argv, environ);
}

// Why the process ends: the one list of exit codes. The numbers are sysexits.h's, so that service
// managers and scripts know them; 141 is what a shell reports for a writer that got SIGPIPE.
#pragma once

#include <span>

namespace kstream {

enum class ExitCode : int {
  kOk = 0,
  kUsage = 64,
  kData = 65,
  kNoInput = 66,
  kUnavailable = 69,
  kInternal = 70,
  kOsError = 71,
  kCannotCreate = 73,
  kIoError = 74,
  kTryAgain = 75,
  kProtocol = 76,
  kNoPermission = 77,
  kConfig = 78,
  kReaderGone = 141,
};

struct ExitCodeRow {
  ExitCode code;
  const char* meaning;
};

// Every code with its meaning, in numeric order: what --help and the documentation show.
std::span<const ExitCodeRow> exit_codes();

}  // namespace kstream

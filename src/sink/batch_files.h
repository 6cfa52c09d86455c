// Batches as files of a directory, one each.
//
// Format: docs/FORMATS.md. batch-ID.EXTENSION, ID with 20 digits; `latest` is a link to the last
//   one; `kstream-stream` names the stream, its last batch and where its partitions stand.
// Contract: a file is there as a whole or not at all, and stays as it is. Its name is there for
// good
//   before write() returns. A file without the batch in kstream-stream is what a crash between the
//   two leaves: it counts.
// Errors: 73 when the directory has gone, 65 damaged or unknown kstream-stream, 78 when the
// directory
//   is another stream's, 74 of the disk; a full disk is transient.
// Thread: one at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "model/presentation.h"
#include "os/file_system.h"
#include "pipeline/sink.h"
#include "sink/compressor.h"
#include "spill/scratch_space.h"

namespace kstream {

class BatchFiles final : public Sink {
 public:
  struct Options {
    std::string directory;
    std::string stream;
    Presentation presentation;
    Compression compression = Compression::kNone;
    std::size_t memory_bytes = 0;  // to bring words in order
  };

  // The directory is there, and this process's alone. `files` and `space` outlive the sink.
  static Result<std::unique_ptr<BatchFiles>> open(const Options& options, FileSystem& files,
                                                  ScratchSpace& space);

  std::string name() const override { return "file:" + options_.directory; }
  bool wants_empty_batches() const override { return false; }
  Result<std::optional<HeldBatch>> last_batch() override { return last_; }
  // None after a crash between a batch and its note.
  Result<OffsetMap> next_offsets() override { return next_; }
  Status write(const BatchResult& result) override;

 private:
  BatchFiles(const Options& options, FileSystem& files, ScratchSpace& space)
      : options_(options), files_(files), space_(space) {}

  std::string path(const std::string& name) const { return options_.directory + "/" + name; }
  Status find_last();
  Status read_note(const std::string& text);
  Status note();
  Status fill(WritableFile& file, const BatchResult& result);
  Error explained(const Error& error);

  const Options options_;
  FileSystem& files_;
  ScratchSpace& space_;
  std::optional<HeldBatch> last_;
  OffsetMap next_;
};

}  // namespace kstream

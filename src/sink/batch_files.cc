#include "sink/batch_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/parse.h"
#include "sink/format.h"
#include "spill/word_sorter.h"

namespace kstream {
namespace {

constexpr const char* kNote = "kstream-stream";
constexpr const char* kLatest = "latest";
constexpr std::string_view kTitle = "kstream-files 1";
constexpr std::string_view kBegin = "batch-";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr std::size_t kIdDigits = 20;

std::string_view extension(OutputFormat format) {
  switch (format) {
    case OutputFormat::kPprint:
    case OutputFormat::kScala:
      return ".txt";
    case OutputFormat::kTsv:
      return ".tsv";
    case OutputFormat::kCsv:
      return ".csv";
    case OutputFormat::kJson:
      return ".json";
  }
  return "";
}

// Nothing when the name is not a batch's.
std::optional<BatchId> id_of(std::string_view name) {
  if (!name.starts_with(kBegin) || name.size() < kBegin.size() + kIdDigits ||
      name.ends_with(kTemporarySuffix)) {
    return std::nullopt;
  }
  const auto id = parse_integer(name.substr(kBegin.size(), kIdDigits), 1, INT64_MAX);
  return id.ok() ? std::optional(id.value()) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<BatchFiles>> BatchFiles::open(const Options& options, FileSystem& files,
                                                     ScratchSpace& space) {
  std::unique_ptr<BatchFiles> sink(new BatchFiles(options, files, space));
  KS_TRY(sink->find_last());
  return sink;
}

Status BatchFiles::find_last() {
  KS_TRY_VALUE(names, files_.names(options_.directory));
  BatchId last_file = 0;
  std::string last_name;
  for (const std::string& name : names) {
    if (const BatchId id = id_of(name).value_or(0); id > last_file) {
      last_file = id;
      last_name = name;
    }
    if (name.starts_with(kBegin) && name.ends_with(kTemporarySuffix)) {
      KS_TRY(files_.remove(path(name)));
    }
  }
  KS_TRY_VALUE(note_text, files_.read(path(kNote)));
  if (!note_text) {
    if (last_file != 0) {
      return Error{ExitCode::kConfig,
                   fmt::format("{}: has batches up to {}, but no {} that says whose. Nothing was "
                               "changed. Name another directory.",
                               name(), last_file, kNote)};
    }
    return note();
  }
  KS_TRY(read_note(*note_text));
  if (last_file > (last_ ? last_->id : 0)) {
    last_ = HeldBatch{last_file, std::nullopt};
    next_.clear();
    return files_.link(path(kLatest), last_name);
  }
  return {};
}

Status BatchFiles::read_note(const std::string& text) {
  const std::vector<std::string_view> lines = split_list(text, '\n');
  const auto id = lines.size() < 4 ? Result<std::int64_t>(std::int64_t{-1})
                                   : parse_integer(lines[2], 0, INT64_MAX);
  bool is_right = lines.size() >= 4 && lines[0] == kTitle && id.ok();
  for (std::size_t i = 4; is_right && i < lines.size() && !lines[i].empty(); ++i) {
    const std::vector<std::string_view> parts = split_list(lines[i], ' ');
    const auto number = [&parts](std::size_t part, std::int64_t max) {
      return part < parts.size() ? parse_integer(parts[part], 0, max)
                                 : Result<std::int64_t>(Error{});
    };
    const auto partition = number(1, INT32_MAX);
    const auto next = number(2, INT64_MAX);
    is_right = parts.size() == 3 && !parts[0].empty() && partition.ok() && next.ok();
    if (is_right) {
      next_[{std::string(parts[0]), static_cast<std::int32_t>(partition.value())}] = next.value();
    }
  }
  if (!is_right) {
    return Error{ExitCode::kData,
                 fmt::format("{}: is not what kstream writes. Nothing was changed. "
                             "Name another directory.",
                             path(kNote))};
  }
  if (lines[1] != options_.stream) {
    return Error{ExitCode::kConfig,
                 fmt::format("{}: belongs to stream '{}', this one is '{}'. Nothing was changed. "
                             "Name another directory, or this stream with --name.",
                             name(), lines[1], options_.stream)};
  }
  if (id.value() > 0) {
    last_ = HeldBatch{id.value(), std::strtoull(std::string(lines[3]).c_str(), nullptr, 16)};
  }
  return {};
}

Status BatchFiles::note() {
  const HeldBatch batch = last_.value_or(HeldBatch());
  std::string text = fmt::format("{}\n{}\n{}\n{:016x}\n", kTitle, options_.stream, batch.id,
                                 batch.fingerprint.value_or(0));
  for (const auto& [partition, next] : next_) {
    text += fmt::format("{} {} {}\n", partition.topic, partition.partition, next);
  }
  return replace_file(files_, options_.directory, kNote, text);
}

Status BatchFiles::write(const BatchResult& result) {
  const BatchId id = *result.plan.id;
  const std::string file_name =
      fmt::format("{}{:0{}}{}{}", kBegin, id, kIdDigits, extension(options_.presentation.format),
                  file_suffix(options_.compression));
  const std::string temporary = path(file_name) + std::string(kTemporarySuffix);
  const auto write_file = [&]() -> Status {
    {
      KS_TRY_VALUE(file, files_.create(temporary));
      KS_TRY(fill(*file, result));
      KS_TRY(file->sync());
    }
    KS_TRY(files_.rename(temporary, path(file_name)));
    KS_TRY(files_.sync_directory(options_.directory));
    KS_TRY(files_.link(path(kLatest), file_name));
    last_ = HeldBatch{id, fingerprint(result.plan)};
    for (const auto& [partition, next] : offsets_after(result.plan)) {
      next_[partition] = next;
    }
    return note();
  };
  const Status written = write_file();
  return written.ok() ? written : explained(written.error());
}

Status BatchFiles::fill(WritableFile& file, const BatchResult& result) {
  KS_TRY_VALUE(shown, sort_words(result.counts, options_.presentation.order,
                                 options_.presentation.top, options_.memory_bytes, space_));
  std::uint64_t at = 0;
  const auto compressor =
      make_compressor(options_.compression, [&](std::string_view bytes) -> Status {
        KS_TRY(file.write_at(at, bytes));
        at += bytes.size();
        return {};
      });
  KS_TRY(compressor->write(header(options_.presentation)));
  const Status rendered = render(result, shown, options_.presentation,
                                 [&](std::string_view text) { return compressor->write(text); });
  KS_TRY(rendered);
  return compressor->finish();
}

// A directory that was there and is not is another problem than a disk that fails: it may have been
// unmounted, and making it anew would hide that.
Error BatchFiles::explained(const Error& error) {
  if (files_.names(options_.directory).ok()) {
    return error;
  }
  return Error{ExitCode::kCannotCreate,
               fmt::format("{}: the directory has gone, or cannot be read any more. The batch in "
                           "hand is not there, and the directory is not made anew. Put it, or what "
                           "is mounted there, back.",
                           name())};
}

}  // namespace kstream

#include "spill/run.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <cstring>
#include <span>

#include "base/check.h"
#include "base/varint.h"

namespace kstream {
namespace {

struct BlockHeader {
  std::uint64_t bytes;
  std::uint64_t hash;
};

}  // namespace

Result<Run> Run::create(ScratchSpace& space) {
  KS_TRY_VALUE(file, ScratchFile::create(space.directory()));
  return Run(space, std::move(file));
}

Status RunWriter::add(const WordCount& word) {
  if (block_.empty()) {
    block_.resize(sizeof(BlockHeader));
  }
  put_varint(block_, word.word.size());
  block_ += word.word;
  put_varint(block_, word.count);
  ++run_.words_;
  return block_.size() < RunReader::kBlockBytes ? Status() : write_block();
}

Result<Run> RunWriter::finish() && {
  KS_TRY(write_block());
  return std::move(run_);
}

Status RunWriter::write_block() {
  if (block_.empty()) {
    return {};
  }
  const std::string_view content = std::string_view(block_).substr(sizeof(BlockHeader));
  const BlockHeader header{content.size(), XXH3_64bits(content.data(), content.size())};
  std::memcpy(block_.data(), &header, sizeof(header));
  KS_TRY(run_.space_->reserve(block_.size()));
  run_.reserved_ += block_.size();
  KS_TRY(run_.file_.append(block_));
  block_.clear();
  return {};
}

Result<bool> RunReader::read_block() {
  if (at_ == run_->file_.bytes()) {
    return false;
  }
  BlockHeader header{};
  KS_TRY(run_->file_.read_at(at_, {reinterpret_cast<char*>(&header), sizeof(header)}));
  const std::uint64_t begin = at_ + sizeof(header);
  const bool is_inside = header.bytes <= run_->file_.bytes() - begin;
  if (is_inside) {
    block_.resize(header.bytes);
    KS_TRY(run_->file_.read_at(begin, block_));
  }
  if (!is_inside || XXH3_64bits(block_.data(), block_.size()) != header.hash) {
    return Error{ExitCode::kIoError,
                 fmt::format("{}: byte {} of counts that were written there is not what was "
                             "written. The batch is not completed. The disk is not to be trusted: "
                             "have it checked.",
                             run_->space_->directory(), at_)};
  }
  rest_ = {block_.data(), block_.size()};
  at_ = begin + header.bytes;
  return true;
}

WordCount RunReader::take_word() {
  const auto length = take_varint(rest_);
  KS_CHECK(length && *length <= rest_.size());
  const std::string_view word = rest_.substr(0, *length);
  rest_.remove_prefix(word.size());
  const auto count = take_varint(rest_);
  KS_CHECK(count.has_value());
  return {word, *count};
}

}  // namespace kstream

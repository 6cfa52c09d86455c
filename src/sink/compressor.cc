#include "sink/compressor.h"

#include <zlib.h>
#include <zstd.h>

#include <array>
#include <new>
#include <utility>

#include "base/check.h"

namespace kstream {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;

class Plain final : public Compressor {
 public:
  explicit Plain(EmitText emit) : emit_(std::move(emit)) {}
  Status write(std::string_view text) override { return emit_(text); }
  Status finish() override { return {}; }

 private:
  EmitText emit_;
};

class Gzip final : public Compressor {
 public:
  explicit Gzip(EmitText emit) : emit_(std::move(emit)) {
    constexpr int kGzipWindowBits = 15 + 16;  // 16: with gzip's header, which has no time then
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindowBits, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Gzip() override { deflateEnd(&stream_); }

  Status write(std::string_view text) override {
    // zlib does not write to it.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    return run(Z_NO_FLUSH);
  }
  Status finish() override { return run(Z_FINISH); }

 private:
  Status run(int flush) {
    std::array<char, kChunkBytes> out;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(out.data());
      stream_.avail_out = out.size();
      KS_CHECK(deflate(&stream_, flush) != Z_STREAM_ERROR);
      KS_TRY(emit_({out.data(), out.size() - stream_.avail_out}));
    } while (stream_.avail_out == 0);
    return {};
  }

  EmitText emit_;
  z_stream stream_{};
};

class Zstd final : public Compressor {
 public:
  explicit Zstd(EmitText emit) : emit_(std::move(emit)), stream_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
    if (!stream_) {
      throw std::bad_alloc();
    }
    ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_checksumFlag, 1);
  }

  Status write(std::string_view text) override { return run(text, ZSTD_e_continue); }
  Status finish() override { return run({}, ZSTD_e_end); }

 private:
  Status run(std::string_view text, ZSTD_EndDirective end) {
    std::array<char, kChunkBytes> out;
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    while (true) {
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      const std::size_t left = ZSTD_compressStream2(stream_.get(), &to, &in, end);
      KS_CHECK(ZSTD_isError(left) == 0);
      if (to.pos > 0) {
        KS_TRY(emit_({out.data(), to.pos}));
      }
      if (end == ZSTD_e_end ? left == 0 : in.pos == in.size) {
        return {};
      }
    }
  }

  EmitText emit_;
  std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> stream_;
};

}  // namespace

std::string_view file_suffix(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "";
    case Compression::kGzip:
      return ".gz";
    case Compression::kZstd:
      return ".zst";
  }
  return "";
}

std::unique_ptr<Compressor> make_compressor(Compression compression, EmitText emit) {
  switch (compression) {
    case Compression::kNone:
      return std::make_unique<Plain>(std::move(emit));
    case Compression::kGzip:
      return std::make_unique<Gzip>(std::move(emit));
    case Compression::kZstd:
      return std::make_unique<Zstd>(std::move(emit));
  }
  return nullptr;
}

}  // namespace kstream

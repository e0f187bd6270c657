#include "memory/unpack.h"

#include "base/error.h"
#include "base/text.h"
#include "memory/lzop.h"

#include <array>
#include <bzlib.h>
#include <fmt/format.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

namespace domsnap::memory {

namespace {

constexpr uint64_t most_memory_of_xz = uint64_t{1} << 30; // xz -9 needs 65 MiB

class Base : public Decoder {
  public:
    Base(Packing packing, const std::string& path) : packing_(packing), path_(path) {}
    bool is_whole() const override { return whole_; }

  protected:
    [[noreturn]] void damaged(const std::string& what) const { throw damaged_memory(packing_, path_, what); }
    bool whole_ = false;

  private:
    Packing packing_;
    std::string path_;
};

/// The three older libraries have the same kind of stream, under other names.
template <class Stream, class Byte = uint8_t>
void give(Stream& stream, std::span<const uint8_t> in, std::span<uint8_t> out) {
    stream.next_in = reinterpret_cast<decltype(stream.next_in)>(
        const_cast<Byte*>(reinterpret_cast<const Byte*>(in.data())));
    stream.avail_in = static_cast<decltype(stream.avail_in)>(in.size());
    stream.next_out = reinterpret_cast<decltype(stream.next_out)>(out.data());
    stream.avail_out = static_cast<decltype(stream.avail_out)>(out.size());
}
template <class Stream>
void take(const Stream& stream, std::span<const uint8_t>& in, std::span<uint8_t>& out) {
    in = in.last(stream.avail_in);
    out = out.last(stream.avail_out);
}

class Gzip : public Base {
  public:
    using Base::Base;
    ~Gzip() override { inflateEnd(&stream_); }
    void step(std::span<const uint8_t>& in, std::span<uint8_t>& out) override {
        constexpr int gzip_only = 16;
        if (fresh_ &&
            (begun_ ? inflateReset(&stream_) : inflateInit2(&stream_, gzip_only + MAX_WBITS)) != Z_OK)
            damaged("no memory");
        begun_ = true;
        give(stream_, in, out);
        const int result = inflate(&stream_, Z_NO_FLUSH);
        take(stream_, in, out);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            damaged(stream_.msg ? stream_.msg : fmt::format("error {}", result));
        fresh_ = whole_ = result == Z_STREAM_END;
    }

  private:
    z_stream stream_{};
    bool begun_ = false, fresh_ = true;
};

class Bzip2 : public Base {
  public:
    using Base::Base;
    ~Bzip2() override { BZ2_bzDecompressEnd(&stream_); }
    void step(std::span<const uint8_t>& in, std::span<uint8_t>& out) override {
        if (fresh_) begin();
        give<bz_stream, char>(stream_, in, out);
        const int result = BZ2_bzDecompress(&stream_);
        take(stream_, in, out);
        if (result != BZ_OK && result != BZ_STREAM_END) damaged(fmt::format("error {}", result));
        fresh_ = whole_ = result == BZ_STREAM_END;
    }

  private:
    void begin() {
        BZ2_bzDecompressEnd(&stream_); // says no to one that was never begun
        stream_ = {};
        if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) damaged("no memory");
    }
    bz_stream stream_{};
    bool fresh_ = true;
};

class Xz : public Base {
  public:
    Xz(Packing packing, const std::string& path) : Base(packing, path) {
        if (lzma_stream_decoder(&stream_, most_memory_of_xz, LZMA_CONCATENATED) != LZMA_OK)
            damaged("no memory");
    }
    ~Xz() override { lzma_end(&stream_); }
    void step(std::span<const uint8_t>& in, std::span<uint8_t>& out) override {
        const auto action = in.empty() ? LZMA_FINISH : LZMA_RUN; // whether more comes only the caller knows
        give(stream_, in, out);
        const auto result = lzma_code(&stream_, action);
        take(stream_, in, out);
        if (result == LZMA_MEMLIMIT_ERROR) damaged("it needs more than 1 GiB of memory");
        if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR)
            damaged(fmt::format("error {}", static_cast<int>(result)));
        whole_ = result == LZMA_STREAM_END;
    }

  private:
    lzma_stream stream_ = LZMA_STREAM_INIT;
};

class Zstd : public Base {
  public:
    using Base::Base;
    ~Zstd() override { ZSTD_freeDStream(stream_); }
    void step(std::span<const uint8_t>& in, std::span<uint8_t>& out) override {
        ZSTD_inBuffer from{in.data(), in.size(), 0};
        ZSTD_outBuffer into{out.data(), out.size(), 0};
        const size_t result = ZSTD_decompressStream(stream_, &into, &from);
        if (ZSTD_isError(result)) damaged(ZSTD_getErrorName(result));
        if (from.pos || into.pos) whole_ = result == 0;
        in = in.subspan(from.pos);
        out = out.subspan(into.pos);
    }

  private:
    ZSTD_DStream* stream_ = ZSTD_createDStream();
};

} // namespace

Error damaged_memory(Packing packing, const std::string& path, const std::string& what) {
    return {ErrorCode::corrupt, fmt::format("the memory in '{}' is damaged: {} says '{}'",
                                            text::printable(path), to_string(packing), what)};
}

const char* to_string(Packing packing) {
    static constexpr std::array<const char*, known_packings> names{"none", "gzip", "bzip2", "xz",
                                                                   "lzop", "zstd", "sparse"};
    const auto number = static_cast<uint32_t>(packing);
    return number < names.size() ? names[number] : "?";
}

std::unique_ptr<Decoder> make_decoder(Packing packing, const std::string& path) {
    switch (packing) {
    case Packing::gzip:
        return std::make_unique<Gzip>(packing, path);
    case Packing::bzip2:
        return std::make_unique<Bzip2>(packing, path);
    case Packing::xz:
        return std::make_unique<Xz>(packing, path);
    case Packing::lzop:
        return make_lzop_decoder(path);
    case Packing::zstd:
        return std::make_unique<Zstd>(packing, path);
    default:
        return nullptr;
    }
}

} // namespace domsnap::memory

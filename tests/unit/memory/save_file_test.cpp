#include "memory/save_file.h"

#include "images.h"
#include "os/file.h"
#include "os/process.h"

#include <bzlib.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <lzma.h>
#include <random>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

namespace domsnap::memory {
namespace {

using testing::HasSubstr;

const std::string xml = "<domain type='qemu'><name>g</name></domain>";

std::string stream_of(uint64_t pages) {
    StreamBuilder s;
    s.header().start({{"pc.ram", pages * page_size}}).section(wire::section_part);
    for (uint64_t i = 0; i < pages; ++i)
        s.data(i, page_of(static_cast<unsigned>(i + 1)), i == 0 ? "pc.ram" : "");
    return s.close().device("cpu", "running").finish();
}

void put_word(std::string& out, uint32_t word, bool other_order) {
    if (other_order)
        put_big(out, word);
    else
        put_little(out, word);
}

struct Save {
    std::string magic = "LibvirtQemudSave", cookie = "<cookie/>";
    uint32_t version = 2, packing = 0;
    bool other_order = false;

    std::string with(const std::string& stream) const {
        std::string head = magic;
        const auto xml_size = static_cast<uint32_t>(xml.size() + 1);
        const auto length = static_cast<uint32_t>(xml_size + cookie.size() + 1 + 100);
        for (const uint32_t word : {version, length, 1U, packing, cookie.empty() ? 0U : xml_size})
            put_word(head, word, other_order);
        head.resize(92);
        std::string data = xml + '\0' + cookie;
        data.resize(length);
        return head + data + stream;
    }
};

std::string written(const Scratch& scratch, const std::string& bytes) {
    const auto path = scratch / "save";
    os::write_file(path, bytes);
    return path;
}

std::string unpacked(const SaveFile& file) {
    SavedStream stream(file);
    std::string all;
    for (auto chunk = stream.next(); !chunk.empty(); chunk = stream.next())
        all.append(reinterpret_cast<const char*>(chunk.data()), chunk.size());
    return all;
}

std::string gzip(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string bzip2(const std::string& text) {
    auto size = static_cast<unsigned>(text.size() + text.size() / 50 + 1000);
    std::string out(size, '\0');
    BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(text.data()),
                             static_cast<unsigned>(text.size()), 9, 0, 0);
    out.resize(size);
    return out;
}

std::string xz(const std::string& text) {
    std::string out(lzma_stream_buffer_bound(text.size()), '\0');
    size_t size = 0;
    EXPECT_EQ(lzma_easy_buffer_encode(3, LZMA_CHECK_CRC64, nullptr,
                                      reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                      reinterpret_cast<uint8_t*>(out.data()), &size, out.size()),
              LZMA_OK);
    out.resize(size);
    return out;
}

std::string zstd(const std::string& text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

/// By the program itself: there is no library for it that is ours to link.
std::string lzop(const std::string& text, const char* level) {
    const Scratch scratch;
    os::write_file(scratch / "plain", text);
    const auto done = os::run({"lzop", level, "-o", scratch / "packed", scratch / "plain"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return os::read_file(scratch / "packed", 64 << 20);
}
bool has_lzop() { return !os::find_program("lzop").empty(); }

struct Packer {
    Packing packing;
    std::string (*pack)(const std::string&);
};
constexpr Packer packers[] = {
    {Packing::gzip, gzip}, {Packing::bzip2, bzip2}, {Packing::xz, xz}, {Packing::zstd, zstd}};

TEST(SaveFile, GivesWhatLibvirtSaved) {
    const Scratch scratch;
    const auto stream = stream_of(600); // more than two chunks
    const auto path = written(scratch, Save{}.with(stream));
    EXPECT_TRUE(SaveFile::is_one(path));
    const auto file = SaveFile::open(path);
    EXPECT_EQ(file.domain_xml(), xml);
    EXPECT_EQ(unpacked(file), stream);
    EXPECT_NO_THROW(verify_stream(file));
}

TEST(SaveFile, WithoutACookieAndOfTheOtherByteOrder) {
    const Scratch scratch;
    for (const auto& save :
         {Save{.cookie = ""}, Save{.other_order = true}, Save{.version = 1, .packing = 4}}) {
        const auto file = SaveFile::open(written(scratch, save.with(stream_of(3))));
        EXPECT_EQ(file.domain_xml(), xml);
        EXPECT_EQ(unpacked(file), stream_of(3));
    }
}

TEST(SaveFile, UnpacksAlsoInPieces) {
    const Scratch scratch;
    const auto stream = stream_of(600);
    for (const auto& [packing, pack] : packers) {
        SCOPED_TRACE(to_string(packing));
        const Save save{.packing = static_cast<uint32_t>(packing)};
        EXPECT_EQ(unpacked(SaveFile::open(written(scratch, save.with(pack(stream))))), stream);
        const auto two = pack(stream.substr(0, 5000)) + pack(stream.substr(5000));
        const auto file = SaveFile::open(written(scratch, save.with(two)));
        EXPECT_EQ(unpacked(file), stream);
        EXPECT_NO_THROW(verify_stream(file));
    }
}

TEST(SaveFile, UnpacksWhatLzopPacks) {
    if (!has_lzop()) GTEST_SKIP() << "lzop is not installed";
    const Scratch scratch;
    const auto save = [&](const std::string& packed) {
        return SaveFile::open(written(scratch, Save{.packing = 4}.with(packed)));
    };
    std::mt19937 random(1);
    auto stream = stream_of(600);
    std::string noise(300000, '\0'); // what cannot be packed is stored, and words come again from afar
    for (auto& byte : noise)
        byte = static_cast<char>(random());
    for (size_t i = 0; i < noise.size(); i += 1000)
        noise.replace(i, 300, noise.substr(i / 2, 300));
    for (const char* level : {"-1", "-3", "-9"})
        for (const auto& plain : {stream, noise, std::string("x")}) {
            EXPECT_TRUE(unpacked(save(lzop(plain, level))) == plain) << level;
            EXPECT_TRUE(unpacked(save(lzop(plain, level) + lzop("more", level))) == plain + "more") << level;
        }
    EXPECT_NO_THROW(verify_stream(save(lzop(stream, "-3"))));
}

TEST(SaveFile, DamageInWhatLzopPackedIsNoticed) {
    if (!has_lzop()) GTEST_SKIP() << "lzop is not installed";
    const Scratch scratch;
    const auto stream = stream_of(8);
    const auto good = lzop(stream, "-3");
    EXPECT_TRUE(unpacked(SaveFile::open(written(scratch, Save{.packing = 4}.with(good)))) == stream);
    std::mt19937 random(2);
    unsigned noticed = 0;
    for (int i = 0; i < 1500; ++i) {
        auto bad = good;
        if (i % 3)
            bad[random() % bad.size()] ^= static_cast<char>(1 + random() % 255);
        else
            bad.resize(random() % bad.size());
        try { // a time or a mode in the head may be another: what comes out is not
            EXPECT_TRUE(unpacked(SaveFile::open(written(scratch, Save{.packing = 4}.with(bad)))) == stream);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::corrupt);
            ++noticed;
        }
    }
    EXPECT_GT(noticed, 1000u);
}

TEST(SaveFile, CutShortIsNoticed) {
    const Scratch scratch;
    const auto stream = stream_of(20);
    auto cut = Save{}.with(stream);
    cut.resize(cut.size() - 100);
    const auto file = SaveFile::open(written(scratch, cut));
    EXPECT_THAT(error_of(ErrorCode::corrupt, [&] { verify_stream(file); }).what(), HasSubstr("it ends"));
    for (const auto& [packing, pack] : packers) {
        SCOPED_TRACE(to_string(packing));
        auto packed = Save{.packing = static_cast<uint32_t>(packing)}.with(pack(stream));
        packed.resize(packed.size() - 10);
        const auto short_one = SaveFile::open(written(scratch, packed));
        error_of(ErrorCode::corrupt, [&] { verify_stream(short_one); });
    }
}

TEST(SaveFile, WhatIsNoneIsRefusedByName) {
    const Scratch scratch;
    const auto words = [&](ErrorCode code, const std::string& bytes) {
        const auto path = written(scratch, bytes);
        return std::string(error_of(code, [&] { SaveFile::open(path); }).what());
    };
    const auto stream = stream_of(1);
    EXPECT_THAT(words(ErrorCode::corrupt, Save{.magic = "LibvirtQemudPart"}.with(stream)),
                HasSubstr("did not finish"));
    EXPECT_THAT(words(ErrorCode::corrupt, Save{.magic = "0123456789abcdef"}.with(stream)),
                HasSubstr("no memory"));
    EXPECT_THAT(words(ErrorCode::unsupported, Save{.version = 3}.with(stream)), HasSubstr("newer libvirt"));
    EXPECT_THAT(words(ErrorCode::unsupported, Save{.packing = 6}.with(stream)), HasSubstr("'sparse'"));
    EXPECT_THAT(words(ErrorCode::unsupported, Save{.packing = 99}.with(stream)), HasSubstr("format 99"));
    EXPECT_THAT(words(ErrorCode::corrupt, Save{}.with("")), HasSubstr("before the memory"));
    EXPECT_THAT(words(ErrorCode::corrupt, "LibvirtQemudSave"), HasSubstr("shorter"));
    auto senseless = Save{}.with(stream);
    senseless.replace(32, 4, "\xff\xff\xff\x7f", 4); // where the cookie is
    EXPECT_THAT(words(ErrorCode::corrupt, senseless), HasSubstr("make no sense"));
    EXPECT_FALSE(SaveFile::is_one(scratch / "nosuch"));
}

TEST(SaveFile, IsKnownByAllOfItsBytes) {
    const Scratch scratch;
    auto bytes = Save{}.with(stream_of(300));
    const auto before = save_file_hash(written(scratch, bytes));
    EXPECT_EQ(before.size(), 16u);
    EXPECT_EQ(save_file_hash(written(scratch, bytes)), before);
    bytes.back() = '\0';
    EXPECT_NE(save_file_hash(written(scratch, bytes)), before);
}

} // namespace
} // namespace domsnap::memory

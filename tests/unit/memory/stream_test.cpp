#include "memory/stream.h"

#include "../os/scratch.h"
#include "memory/image.h"
#include "streams.h"

#include <gmock/gmock.h>
#include <map>

namespace domsnap::memory {
namespace {

using testing::HasSubstr;
using Pages = std::map<std::pair<std::string, uint64_t>, std::string>;

struct Parsed {
    std::string header, device_state, vm_description;
    std::vector<StreamBlock> blocks;
    Pages pages;
    size_t records = 0;
};

Parsed parse(const std::string& stream, size_t chunk = 1 << 20) {
    TextSource source(stream, chunk);
    StreamParser parser(source);
    EXPECT_EQ(parser.next(), StreamParser::Event::blocks);
    Parsed parsed{parser.header(), {}, {}, parser.blocks(), {}, 0};
    while (parser.next() == StreamParser::Event::pages)
        for (const PageRecord& page : parser.pages()) {
            parsed.pages[{parsed.blocks[page.block].name, page.offset / page_size}] =
                page.data ? std::string(as_text(page.data, page_size)) : "";
            ++parsed.records;
        }
    EXPECT_EQ(parser.next(), StreamParser::Event::end);
    EXPECT_EQ(parser.bytes(), stream.size());
    parsed.device_state = parser.device_state();
    parsed.vm_description = parser.vm_description();
    return parsed;
}

std::string refusal(ErrorCode code, const std::string& stream) {
    return error_of(code, [&] { parse(stream); }).what();
}

StreamBuilder begun() {
    return StreamBuilder().header().start({{"pc.ram", 4 * page_size}}).section(wire::section_part);
}

class EveryChunkSize : public testing::TestWithParam<size_t> {};

TEST_P(EveryChunkSize, GivesTheSamePages) {
    const Parsed p = parse(small_stream(), GetParam());
    ASSERT_EQ(p.blocks.size(), 3u);
    EXPECT_EQ(p.blocks[1].name, "pc.ram");
    EXPECT_EQ(p.blocks[1].length, 8 * page_size);
    const Pages expected{{{"pc.ram", 0}, page_of(1)},   {{"pc.ram", 1}, page_of(5)}, {{"pc.ram", 2}, ""},
                         {{"pc.ram", 4}, ""},           {{"pc.ram", 7}, page_of(6)}, {{"vga.vram", 0}, ""},
                         {{"vga.vram", 1}, page_of(4)}, {{"pc.bios", 0}, page_of(7)}};
    EXPECT_EQ(p.pages, expected);
    EXPECT_EQ(p.records, 10u);
    EXPECT_EQ(p.vm_description, R"({"devices":[]})");
    EXPECT_THAT(p.device_state, HasSubstr("state of the cpu"));
    EXPECT_TRUE(small_stream().starts_with(p.header));
    EXPECT_THAT(p.header, testing::EndsWith(std::string(16, 'u')));
}

INSTANTIATE_TEST_SUITE_P(Stream, EveryChunkSize, testing::Values(1, 2, 7, 4095, 4096, 4097, 5000, 1 << 20));

TEST(Stream, PassesHarmlessConfigurationsAndCommands) {
    std::string capabilities;
    put_big(capabilities, uint32_t{1});
    capabilities += std::string(1, 10) + "auto-conv.";
    StreamBuilder s;
    s.header().subsection("configuration/capabilities", capabilities);
    s.subsection("configuration/target-page-bits", std::string("\0\0\0\x0c", 4));
    s.bytes += std::string("\x08\0\1\0\0", 5) + std::string("\x08\0\2\0\4pong", 9);
    s.start({{"pc.ram", page_size}});
    EXPECT_EQ(parse(s.finish()).records, 0u);
}

TEST(Stream, FindsTheDescriptionBehindDevicesThatLookLikeOne) {
    StreamBuilder s;
    s.header().start({{"pc.ram", page_size}});
    std::string fake(2, '\0');
    fake[1] = 6;
    put_big(fake, uint32_t{2});
    s.device("liar", fake + "{}");
    const std::string devices = s.device_state;
    EXPECT_EQ(parse(s.finish("{}")).device_state, devices);
}

TEST(Stream, RefusesEveryCutAndNeverReadsBeyond) {
    const std::string whole = small_stream();
    for (size_t size = 0; size < whole.size(); size += size < 300 || size + 300 > whole.size() ? 1 : 97)
        EXPECT_THAT(refusal(ErrorCode::corrupt, whole.substr(0, size)), HasSubstr("damaged at byte")) << size;
}

TEST(Stream, RefusesForeignBeginnings) {
    EXPECT_THAT(refusal(ErrorCode::corrupt, "QFI\xfb" + std::string(100, 'x')), HasSubstr("does not begin"));
    EXPECT_THAT(refusal(ErrorCode::unsupported, std::string("QEVM\0\0\0\4", 8)), HasSubstr("version 4"));
    EXPECT_THAT(refusal(ErrorCode::unsupported, std::string("QEVM\0\0\0\3\1\0\0\0\2\3ram", 17)),
                HasSubstr("no configuration"));
}

TEST(Stream, RefusesConfigurationsThatChangeTheLayout) {
    std::string shared;
    put_big(shared, uint32_t{1});
    shared += std::string(1, 15) + "x-ignore-shared";
    EXPECT_THAT(refusal(ErrorCode::unsupported,
                        StreamBuilder().header().subsection("configuration/capabilities", shared).bytes),
                HasSubstr("x-ignore-shared"));
    EXPECT_THAT(
        refusal(ErrorCode::unsupported, StreamBuilder().header().subsection("what/is\nthat", "").bytes),
        HasSubstr("'what/is\\x0athat'"));
    EXPECT_THAT(refusal(ErrorCode::unsupported,
                        StreamBuilder()
                            .header()
                            .subsection("configuration/target-page-bits", std::string("\0\0\0\x0e", 4))
                            .bytes),
                HasSubstr("page size"));
    std::string endless;
    put_big(endless, uint32_t{0xffffffff});
    EXPECT_THAT(refusal(ErrorCode::corrupt,
                        StreamBuilder().header().subsection("configuration/capabilities", endless).bytes),
                HasSubstr("too many"));
}

TEST(Stream, RefusesHostileBlockLists) {
    const auto of = [](const std::vector<StreamBlock>& blocks) {
        return StreamBuilder().header().start(blocks).bytes;
    };
    EXPECT_THAT(refusal(ErrorCode::corrupt, of({})), HasSubstr("no RAM"));
    EXPECT_THAT(refusal(ErrorCode::corrupt, of({{"pc.ram", max_total_ram + page_size}})),
                HasSubstr("16 TiB"));
    EXPECT_THAT(refusal(ErrorCode::corrupt, of({{"a", page_size}, {"a", page_size}})),
                HasSubstr("of its own"));
    EXPECT_THAT(refusal(ErrorCode::corrupt, of({{"", page_size}})), HasSubstr("of its own"));
    EXPECT_THAT(refusal(ErrorCode::corrupt, of({{"a", 0}, {"b", page_size}})),
                HasSubstr("length of RAM block 'a'"));
    EXPECT_THAT(refusal(ErrorCode::corrupt, of({{"a", page_size + 512}, {"b", page_size - 512}})),
                HasSubstr("length"));
    EXPECT_THAT(refusal(ErrorCode::corrupt, of({{"a", ~uint64_t{4095}}, {"b", 2 * page_size}})),
                HasSubstr("length"));
    std::vector<StreamBlock> many;
    for (size_t i = 0; i <= max_blocks; ++i)
        many.push_back({"b" + std::to_string(i), page_size});
    EXPECT_THAT(refusal(ErrorCode::corrupt, of(many)), HasSubstr("256"));
}

TEST(Stream, RefusesHostilePages) {
    EXPECT_THAT(refusal(ErrorCode::corrupt, begun().zero(4, "pc.ram").bytes),
                HasSubstr("at 0x4000 of 'pc.ram'"));
    EXPECT_THAT(refusal(ErrorCode::corrupt, begun().zero(~uint64_t{0} / page_size, "pc.ram").bytes),
                HasSubstr("which ends before"));
    EXPECT_THAT(refusal(ErrorCode::corrupt, begun().zero(0, "pc.rom").bytes),
                HasSubstr("no known RAM block"));
    EXPECT_THAT(refusal(ErrorCode::corrupt, begun().zero(0).bytes), HasSubstr("no known RAM block"));
    StreamBuilder filled = begun().zero(0, "pc.ram");
    filled.bytes.back() = 'x';
    EXPECT_THAT(refusal(ErrorCode::corrupt, filled.bytes), HasSubstr("not zero"));
    StreamBuilder xbzrle = begun();
    put_big(xbzrle.bytes, uint64_t{0x40});
    EXPECT_THAT(refusal(ErrorCode::unsupported, xbzrle.bytes), HasSubstr("xbzrle"));
}

TEST(Stream, RefusesSectionsThatDoNotFit) {
    StreamBuilder footer = begun().close();
    footer.bytes[footer.bytes.size() - 1] ^= 1;
    EXPECT_THAT(refusal(ErrorCode::corrupt, footer.bytes), HasSubstr("footer"));
    StreamBuilder other = begun().close();
    other.ram_id = 3;
    EXPECT_THAT(refusal(ErrorCode::corrupt, other.section(wire::section_part).bytes), HasSubstr("not RAM"));
    EXPECT_THAT(refusal(ErrorCode::unsupported, begun().close().start({{"pc.ram", page_size}}).bytes),
                HasSubstr("second live section"));
    StreamBuilder package = begun().close();
    package.bytes += std::string("\x08\0\7\0\4\0\0\0\0", 9);
    EXPECT_THAT(refusal(ErrorCode::corrupt, package.bytes), HasSubstr("command 7"));
}

} // namespace
} // namespace domsnap::memory

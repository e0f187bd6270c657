#include "guest.h"
#include "os/file.h"
#include "qmp/codec.h"

#include <nlohmann/json.hpp>

namespace domsnap::qmp {
namespace {

std::vector<std::string> lines_of(LineFramer& framer) {
    std::vector<std::string> lines;
    while (const auto line = framer.next())
        lines.push_back(*line);
    return lines;
}

TEST(QmpCodec, CutsLinesHoweverTheBytesCome) {
    const std::string bytes = "{\"a\": 1}\r\n\r\n\n  {\"b\": 2}\n{\"c\"";
    const std::vector<std::string> expected{"{\"a\": 1}", "{\"b\": 2}"};
    for (size_t step = 1; step <= bytes.size(); ++step) {
        LineFramer framer;
        std::vector<std::string> lines;
        for (size_t at = 0; at < bytes.size(); at += step) {
            framer.feed(std::string_view(bytes).substr(at, step));
            for (auto& line : lines_of(framer))
                lines.push_back(line);
        }
        EXPECT_EQ(lines, expected) << "in steps of " << step;
        framer.feed(": 3}\n");
        EXPECT_EQ(lines_of(framer), std::vector<std::string>{"{\"c\": 3}"});
    }
}

TEST(QmpCodec, RefusesAMessageThatNeverEnds) {
    LineFramer framer(100);
    framer.feed(std::string(100, 'x'));
    EXPECT_EQ(code_of([&] { framer.feed("x"); }), "corrupt");
    LineFramer many(100);
    many.feed(std::string(90, 'x') + "\n" + std::string(90, 'y') + "\n"); // each is short enough
    EXPECT_EQ(lines_of(many).size(), 2u);
}

TEST(QmpCodec, TakesOnlyObjects) {
    for (const char* bad :
         {"", "x", "[1]", "1", "\"a\"", "{", "{\"a\":}", "{\"a\": 1} x", "null", "\xff\xfe"})
        EXPECT_EQ(code_of([&] { decode(bad); }), "corrupt") << bad;
    EXPECT_EQ(decode("{\"a\": 1}").at("a"), 1);
}

TEST(QmpCodec, BoundsTheDepth) {
    const auto nested = [](size_t depth) {
        return "{\"a\": " + std::string(depth, '[') + std::string(depth, ']') + "}";
    };
    EXPECT_EQ(code_of([&] { decode(nested(1000)); }), "nothing");
    EXPECT_EQ(code_of([&] { decode(nested(1100)); }), "corrupt");
    EXPECT_EQ(code_of([&] { decode(nested(10'000'000)); }), "corrupt");
    EXPECT_EQ(code_of([&] { decode("{\"a\": \"" + std::string(5000, '[') + "\"}"); }), "nothing");
}

TEST(QmpCodec, KnowsTheFourKinds) {
    EXPECT_EQ(kind_of(decode(R"({"QMP": {"version": {}}})")), MessageKind::greeting);
    EXPECT_EQ(kind_of(decode(R"({"return": {}, "id": "a"})")), MessageKind::result);
    EXPECT_EQ(kind_of(decode(R"({"error": {"class": "GenericError", "desc": "no"}})")), MessageKind::failure);
    EXPECT_EQ(kind_of(decode(R"({"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 2}})")),
              MessageKind::event);
    EXPECT_EQ(code_of([] { kind_of(decode("{}")); }), "corrupt");
    EXPECT_EQ(id_of(decode(R"({"return": {}, "id": "a"})")), "a");
    EXPECT_EQ(id_of(decode(R"({"return": {}, "id": 7})")), std::nullopt);
}

TEST(QmpCodec, ReadsGreetings) {
    const auto greeting =
        decode(R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""},
                                     "capabilities": ["oob"]}})");
    EXPECT_EQ(version_of(greeting), "7.2.22");
    EXPECT_TRUE(offers_out_of_band(greeting));
    EXPECT_FALSE(offers_out_of_band(decode(R"({"QMP": {"capabilities": []}})")));
    EXPECT_EQ(code_of([] { version_of(decode(R"({"QMP": {}})")); }), "corrupt");
}

TEST(QmpCodec, ReadsEvents) {
    const auto event = to_event(
        decode(R"({"event": "E", "data": {"a": 1}, "timestamp": {"seconds": 5, "microseconds": 7}})"));
    EXPECT_EQ(event.name, "E");
    EXPECT_EQ(event.microseconds, 5'000'007);
    EXPECT_EQ(event.data, "{\"a\":1}");
    const auto bare = to_event(decode(R"({"event": "E"})"));
    EXPECT_EQ(bare.microseconds, 0);
    EXPECT_EQ(bare.data, "{}");
}

TEST(QmpCodec, GivesQemusWordsWithoutControlCharacters) {
    EXPECT_EQ(words_of(decode(R"({"error": {"class": "GenericError", "desc": "no way"}})")), "no way");
    EXPECT_EQ(words_of(decode(R"({"error": {"class": "DeviceNotFound", "desc": "no"}})")),
              "no (DeviceNotFound)");
    EXPECT_EQ(words_of(decode(R"({"error": {"desc": "a\nb"}})")).find('\n'), std::string::npos);
}

TEST(QmpCodec, RefusesTextThatIsNotUtf8) {
    EXPECT_EQ(code_of([] { encode(Json{{"a", "\xff"}}); }), "invalid-request");
    EXPECT_EQ(encode(Json{{"a", 1}}), "{\"a\":1}\n");
}

} // namespace
} // namespace domsnap::qmp

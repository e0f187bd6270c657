// Text to Element: nothing lost, and nothing that hostile text can do.
#include "xml/document.h"

#include "base/error.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

using namespace domsnap;
using model::Node;

namespace {

std::string refusal(const std::string& text) {
    try {
        static_cast<void>(xml::parse(text, "given.xml"));
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_request);
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
        return error.what();
    }
    return "accepted";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string repeat(const std::string& part, size_t times) {
    std::string out;
    out.reserve(part.size() * times);
    for (size_t i = 0; i < times; ++i)
        out += part;
    return out;
}

} // namespace

TEST(Parse, keeps_every_kind_of_node_in_order) {
    const auto root = xml::parse("<a>t<!--c--><b/><![CDATA[<x>]]><?p i?>&amp;&#65;</a>", "given.xml");
    ASSERT_EQ(root.children.size(), 6u);
    EXPECT_EQ(root.children[0].text, "t");
    EXPECT_EQ(root.children[1].kind, Node::Kind::comment);
    EXPECT_EQ(root.children[2].element.front().name, "b");
    EXPECT_EQ(root.children[3].kind, Node::Kind::cdata);
    EXPECT_EQ(root.children[4].text, "p i");
    EXPECT_EQ(root.children[5].text, "&A");
}

TEST(Parse, keeps_prefixes_and_the_order_of_attributes_and_namespaces) {
    const auto root = xml::parse("<x:a b='1&amp;2' xmlns:x='u' c='&lt;&#10;&quot;'/>", "given.xml");
    EXPECT_EQ(root.name, "x:a");
    const std::vector<std::pair<std::string, std::string>> expected{
        {"b", "1&2"}, {"xmlns:x", "u"}, {"c", "<\n\""}};
    EXPECT_EQ(root.attributes, expected);
}

TEST(Parse, counts_lines_beyond_65535) {
    const auto root = xml::parse("<a>" + repeat("\n", 70'000) + "<b/></a>", "given.xml");
    EXPECT_EQ(root.child("b")->line, 70'001);
}

TEST(Parse, says_where_and_what) {
    EXPECT_EQ(refusal("<a>\n<b></c></a>"),
              "XML error: given.xml:2:8: Opening and ending tag mismatch: b line 2 and c");
    EXPECT_EQ(refusal(""), "XML error: given.xml:1: Document is empty");
    EXPECT_EQ(refusal("<a>\xff</a>").find("XML error: given.xml:1:"), 0u);
    EXPECT_TRUE(contains(refusal(std::string("<a>\0</a>", 8)), "given.xml:1:"));
    EXPECT_TRUE(contains(refusal("<a>"), "Premature end of data in tag a line 1"));
}

TEST(Parse, accepts_no_doctype) {
    const std::string laughs =
        "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><a>&b;</a>";
    EXPECT_TRUE(contains(refusal(laughs), "DOCTYPE"));
    EXPECT_TRUE(contains(refusal("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), "DOCTYPE"));
    EXPECT_TRUE(contains(refusal("<!DOCTYPE a PUBLIC 'x' 'http://example.org/a.dtd'><a/>"), "DOCTYPE"));
    EXPECT_TRUE(contains(refusal("<a>&b;</a>"), "not defined"));
    EXPECT_TRUE(contains(refusal("<a b='&c;'/>"), "not defined"));
}

TEST(Parse, bounds_depth) {
    EXPECT_EQ(refusal(repeat("<a>", 256) + repeat("</a>", 256)), "accepted");
    EXPECT_TRUE(contains(refusal(repeat("<a>", 257) + repeat("</a>", 257)), "nested deeper than 256"));
    EXPECT_TRUE(contains(refusal(repeat("<a>", 1'000'000)), "nested deeper than 256"));
}

TEST(Parse, bounds_size) {
    EXPECT_TRUE(contains(refusal("<a>" + std::string(17 << 20, 'x') + "</a>"), "16"));
    EXPECT_TRUE(contains(refusal("<a>" + repeat("<b/>", 600'000) + "</a>"), "more than 500000"));
}

TEST(Parse, bounds_the_attributes_of_an_element) {
    std::string tag = "<a ";
    for (int i = 0; i < 20'000; ++i)
        tag += "a" + std::to_string(i) + "='' ";
    EXPECT_TRUE(contains(refusal(tag + "/>"), "more than 2000 attributes"));
}

TEST(Parse, accepts_only_encodings_that_extend_ascii) {
    EXPECT_EQ(xml::parse("<?xml version='1.0' encoding='ISO-8859-1'?><a>f\xfcr</a>", "given.xml").text(),
              "für");
    EXPECT_TRUE(contains(refusal("<?xml version='1.0' encoding='UTF-7'?><a/>"), "encoding 'utf-7'"));
    EXPECT_TRUE(contains(refusal("<?xml version=\"1.0\" encoding=\"IBM037\"?><a/>"), "encoding 'ibm037'"));
}

TEST(Parse, names_a_hostile_source_on_one_line) {
    try {
        static_cast<void>(xml::parse("<a", "evil\nerror: forged"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
}

TEST(ParseHead, stops_where_it_is_told) {
    const auto root = xml::parse_head("<r><a>1</a><b/><stop>&undefined;<", "stop", "given.xml");
    EXPECT_EQ(root.elements().size(), 2u);
    EXPECT_EQ(xml::parse_head("<r><a><stop/></a></r>", "stop", "given.xml").at("a/stop")->name, "stop");
    EXPECT_THROW(static_cast<void>(xml::parse_head("<r><a></r>", "stop", "given.xml")), Error);
}

TEST(ParseRoot, requires_the_root) {
    EXPECT_EQ(xml::parse_root("<a/>", "a", "given.xml").name, "a");
    try {
        static_cast<void>(xml::parse_root("<foo/>", "domainsnapshot", "given.xml"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "XML error: expecting root element of 'domainsnapshot', not 'foo'");
    }
}

TEST(Parse, may_be_called_from_many_threads) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([] {
            for (int i = 0; i < 200; ++i) {
                EXPECT_EQ(xml::parse("<a><b c='d'/></a>", "given.xml").child("b")->attribute("c"), "d");
                EXPECT_TRUE(contains(refusal("<a><b></a>"), "mismatch"));
            }
        });
    for (auto& thread : threads)
        thread.join();
}

TEST(Parse, writes_nothing_to_stderr) {
    testing::internal::CaptureStderr();
    static_cast<void>(refusal("<a><b></a>"));
    static_cast<void>(refusal("<!DOCTYPE a [ <!ENTITY b SYSTEM 'x'> ]><a>&b;&c;</a>"));
    static_cast<void>(refusal("<a x='1' x='2'>&nope;<b:c/></a>"));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

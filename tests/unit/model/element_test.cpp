// Changes to a document keep its layout; writing escapes what must be and nothing else.
#include "model/element.h"

#include <gtest/gtest.h>

using namespace domsnap::model;

namespace {

Node text(const char* value) { return {Node::Kind::text, value, {}}; }
Node element(Element value) {
    Node node{Node::Kind::element, {}, {}};
    node.element.push_back(std::move(value));
    return node;
}

/// <os>\n    <type/>\n  </os> as it lies in a domain.
Element laid_out() {
    Element os("os");
    os.children = {text("\n    "), element(Element("type")), text("\n  ")};
    return os;
}

} // namespace

TEST(Element, appends_with_the_indentation_of_its_siblings) {
    auto os = laid_out();
    os.append(Element("boot"), 7);
    EXPECT_EQ(to_text(os), "<os>\n    <type/>\n    <boot/>\n  </os>");
}

TEST(Element, appends_the_first_child_by_depth) {
    Element os("os");
    os.append(Element("type"), 1).set_text("hvm");
    EXPECT_EQ(to_text(os), "<os>\n    <type>hvm</type>\n  </os>");
}

TEST(Element, appends_without_blanks_where_there_are_none) {
    Element os("os");
    os.children = {element(Element("type"))};
    os.append(Element("boot"));
    EXPECT_EQ(to_text(os), "<os><type/><boot/></os>");
}

TEST(Element, inserts_before_or_appends) {
    auto os = laid_out();
    os.insert_before("type", Element("loader"), 1);
    os.insert_before("nothing", Element("boot"), 1);
    EXPECT_EQ(to_text(os), "<os>\n    <loader/>\n    <type/>\n    <boot/>\n  </os>");
}

TEST(Element, removes_with_the_blanks_before) {
    auto os = laid_out();
    os.append(Element("boot"), 1);
    os.append(Element("boot"), 1);
    EXPECT_TRUE(os.remove("boot"));
    EXPECT_FALSE(os.remove("boot"));
    EXPECT_EQ(to_text(os), "<os>\n    <type/>\n  </os>");
    EXPECT_TRUE(os.remove("type"));
    EXPECT_EQ(to_text(os), "<os/>");
}

TEST(Element, finds_along_a_path) {
    Element root("a");
    root.append(Element("b")).append(Element("c"), 1).set_text(" x ");
    EXPECT_EQ(root.text_at("b/c"), "x");
    EXPECT_EQ(root.at("b/c")->content(), " x ");
    EXPECT_EQ(root.text_at("b/d", "none"), "none");
    EXPECT_EQ(root.at("d/c"), nullptr);
    EXPECT_EQ(root.elements("b").size(), 1u);
}

TEST(Element, sets_attributes_in_place) {
    Element a("a");
    a.set_attribute("x", "1");
    a.set_attribute("y", "2");
    a.set_attribute("x", "3");
    EXPECT_EQ(to_text(a), "<a x='3' y='2'/>");
    a.remove_attribute("x");
    EXPECT_EQ(a.attribute("x", "none"), "none");
}

TEST(Text, escapes_as_libvirt_does) {
    EXPECT_EQ(escape_xml("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&apos;&amp;&apos;&lt;/a&gt;");
    EXPECT_EQ(escape_xml("tab\tand\nline"), "tab\tand\nline");
    EXPECT_EQ(escape_xml(std::string("a\x01\x00z", 4)), "az");
    Element a("a");
    a.set_attribute("b", "1\n2\t3\r");
    EXPECT_EQ(to_text(a), "<a b='1&#10;2&#9;3&#13;'/>");
}

TEST(Text, quotes_metadata_as_libxml2_does) {
    Element metadata("metadata"), note("n:note");
    note.set_attribute("by", "it's \"me\"");
    note.set_text("it's \"me\"");
    metadata.append(note);
    metadata.set_attribute("kept", "'");
    EXPECT_EQ(
        to_text(metadata),
        "<metadata kept='&apos;'>\n  <n:note by=\"it's &quot;me&quot;\">it's \"me\"</n:note>\n</metadata>");
}

TEST(Text, cuts_cdata_where_it_would_end) {
    Element a("a");
    a.children = {{Node::Kind::cdata, "x]]>y", {}}};
    EXPECT_EQ(to_text(a), "<a><![CDATA[x]]]]><![CDATA[>y]]></a>");
}

TEST(PrettyText, lays_out_elements_and_leaves_text_alone) {
    Element mixed("p");
    mixed.children = {text("some "), element(Element("b")), text(" text")};
    Element root("a");
    root.children = {{Node::Kind::comment, "c", {}}, element(mixed), element(Element("blank"))};
    root.children.back().element.front().set_text("  ");
    EXPECT_EQ(to_pretty_text(root), "<a>\n  <!--c-->\n  <p>some <b/> text</p>\n  <blank>  </blank>\n</a>\n");
    EXPECT_EQ(to_pretty_text(Element("a"), 2), "    <a/>\n");
}

TEST(SameContent, looks_through_blanks_and_the_order_of_attributes) {
    Element a("a"), b("a");
    a.attributes = {{"x", "1"}, {"y", "2"}};
    b.attributes = {{"y", "2"}, {"x", "1"}};
    a.append(Element("c"));
    b.children = {element(Element("c"))};
    EXPECT_TRUE(same_content(a, b));
    b.child("c")->set_text("x");
    EXPECT_FALSE(same_content(a, b));
    a.child("c")->children = {{Node::Kind::cdata, "x", {}}};
    EXPECT_TRUE(same_content(a, b));
    b.set_attribute("x", "3");
    EXPECT_FALSE(same_content(a, b));
}

// Whatever an Element holds, its text is read as the same Element.
#ifdef HAVE_RAPIDCHECK

#include "model/element.h"
#include "xml/document.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

using namespace domsnap;
using model::Element;
using model::Node;

namespace {

rc::Gen<std::string> characters(std::vector<std::string> from) {
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::move(from))),
                        [](const std::vector<std::string>& parts) {
                            std::string out;
                            for (const auto& part : parts)
                                out += part;
                            return out;
                        });
}

rc::Gen<std::string> any_text() {
    return characters({"a", "Z", " ", "\n", "\t", "\r", "<", ">", "&", "'", "\"", "]]>", "&amp;", "ä", "€",
                       "😀", "-", "%"});
}

rc::Gen<std::string> any_name() {
    return rc::gen::element<std::string>("a", "disk", "metadata", "q:arg", "ümlaut", "x-1", "source");
}

Node node(Node::Kind kind, std::string text) { return {kind, std::move(text), {}}; }

Element any_element(int depth);

Node any_node(int depth) {
    switch (*rc::gen::inRange(0, depth > 0 ? 5 : 4)) {
    case 0:
        return node(Node::Kind::text, *any_text());
    case 1:
        return node(Node::Kind::comment, *characters({"c", " ", "<", "&", "ä", "'"}));
    case 2:
        return node(Node::Kind::cdata, *characters({"d", " ", "<", "&", "]", "ä", "\""}));
    case 3:
        return node(Node::Kind::instruction, "target c" + *characters({"x", " ", "<", "&"}));
    default:
        break;
    }
    Node child{Node::Kind::element, {}, {}};
    child.element.push_back(any_element(depth - 1));
    return child;
}

/// A parser gives no empty text and no two texts side by side.
void add(Element& parent, Node child) {
    const bool characters_only = child.kind == Node::Kind::text || child.kind == Node::Kind::cdata;
    if (characters_only && child.text.empty()) return;
    const bool joins = child.kind == Node::Kind::text && !parent.children.empty() &&
                       parent.children.back().kind == Node::Kind::text;
    if (joins)
        parent.children.back().text += child.text;
    else
        parent.children.push_back(std::move(child));
}

Element any_element(int depth) {
    Element element(*any_name());
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
        element.set_attribute(*any_name(), *any_text());
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i)
        add(element, any_node(depth));
    return element;
}

bool same(const Element& a, const Element& b);

bool same(const Node& a, const Node& b) {
    return a.kind == b.kind && a.text == b.text &&
           (a.element.empty() || same(a.element.front(), b.element.front()));
}

bool same(const Element& a, const Element& b) {
    return a.name == b.name && a.attributes == b.attributes &&
           std::equal(a.children.begin(), a.children.end(), b.children.begin(), b.children.end(),
                      [](const Node& left, const Node& right) { return same(left, right); });
}

} // namespace

TEST(Elements, are_read_as_they_were_written) {
    EXPECT_TRUE(rc::check([] {
        const auto element = any_element(4);
        const auto text = model::to_text(element);
        RC_ASSERT(same(xml::parse(text, "written"), element));
    }));
}

TEST(Elements, have_the_same_content_when_laid_out) {
    EXPECT_TRUE(rc::check([] {
        const auto element = any_element(4);
        const auto text = model::to_pretty_text(element);
        const auto again = xml::parse(text, "written");
        RC_ASSERT(model::same_content(again, element));
        RC_ASSERT(model::to_pretty_text(again) == text);
    }));
}

#endif

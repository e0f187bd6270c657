#include "model/element.h"

#include "base/text.h"

#include <algorithm>

namespace domsnap::model {

static Node text_node(std::string text) { return {Node::Kind::text, std::move(text), {}}; }
static Node element_node(Element element) {
    Node node{Node::Kind::element, {}, {}};
    node.element.push_back(std::move(element));
    return node;
}

static bool is_element(const Node& node, std::string_view name) {
    return node.kind == Node::Kind::element && node.element.front().name == name;
}

static bool is_blank(const Node& node) {
    return node.kind == Node::Kind::text && text::trim(node.text).empty();
}

const std::string* Element::find_attribute(std::string_view attribute) const {
    for (const auto& [key, value] : attributes)
        if (key == attribute) return &value;
    return nullptr;
}

std::string Element::attribute(std::string_view attribute, std::string_view fallback) const {
    const auto* value = find_attribute(attribute);
    return value ? *value : std::string(fallback);
}

void Element::set_attribute(std::string_view attribute, std::string_view value) {
    for (auto& [key, old] : attributes) {
        if (key != attribute) continue;
        old = value;
        return;
    }
    attributes.emplace_back(attribute, value);
}

void Element::remove_attribute(std::string_view attribute) {
    std::erase_if(attributes, [&](const auto& pair) { return pair.first == attribute; });
}

const Element* Element::child(std::string_view child_name) const {
    for (const auto& node : children)
        if (is_element(node, child_name)) return &node.element.front();
    return nullptr;
}

Element* Element::child(std::string_view child_name) {
    return const_cast<Element*>(std::as_const(*this).child(child_name));
}

const Element* Element::at(std::string_view path) const {
    const Element* here = this;
    while (here && !path.empty()) {
        const auto slash = path.find('/');
        here = here->child(path.substr(0, slash));
        path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    }
    return here;
}

Element* Element::at(std::string_view path) { return const_cast<Element*>(std::as_const(*this).at(path)); }

std::vector<const Element*> Element::elements() const {
    std::vector<const Element*> found;
    for (const auto& node : children)
        if (node.kind == Node::Kind::element) found.push_back(&node.element.front());
    return found;
}

std::vector<const Element*> Element::elements(std::string_view child_name) const {
    std::vector<const Element*> found;
    for (const auto& node : children)
        if (is_element(node, child_name)) found.push_back(&node.element.front());
    return found;
}

std::vector<Element*> Element::elements(std::string_view child_name) {
    std::vector<Element*> found;
    for (auto& node : children)
        if (is_element(node, child_name)) found.push_back(&node.element.front());
    return found;
}

static void collect_text(const Element& element, std::string& out) {
    for (const auto& node : element.children) {
        if (node.kind == Node::Kind::text || node.kind == Node::Kind::cdata)
            out += node.text;
        else if (node.kind == Node::Kind::element)
            collect_text(node.element.front(), out);
    }
}

std::string Element::content() const {
    std::string out;
    collect_text(*this, out);
    return out;
}

std::string Element::text() const { return std::string(text::trim(content())); }

std::string Element::text_at(std::string_view path, std::string_view fallback) const {
    const auto* element = at(path);
    return element ? element->text() : std::string(fallback);
}

void Element::set_text(std::string_view value) {
    children.clear();
    if (!value.empty()) children.push_back(text_node(std::string(value)));
}

/// The blanks that stand before the children of this element. A document without any (all on one line) gets
/// none.
static std::string blanks_of_children(const Element& parent, int depth) {
    for (size_t i = 0; i < parent.children.size(); ++i) {
        if (parent.children[i].kind != Node::Kind::element) continue;
        return i > 0 && is_blank(parent.children[i - 1]) ? parent.children[i - 1].text : std::string{};
    }
    return "\n" + std::string(2 * (static_cast<size_t>(depth) + 1), ' ');
}

Element& Element::append(Element child, int depth) {
    const auto before = blanks_of_children(*this, depth);
    const bool closed = !children.empty() && is_blank(children.back());
    const size_t at = children.size() - (closed ? 1 : 0);
    std::vector<Node> added;
    if (!before.empty()) added.push_back(text_node(before));
    added.push_back(element_node(std::move(child)));
    if (!closed && !before.empty())
        added.push_back(text_node("\n" + std::string(2 * static_cast<size_t>(depth), ' ')));
    const auto index = at + (before.empty() ? 0 : 1);
    children.insert(children.begin() + static_cast<ptrdiff_t>(at), std::make_move_iterator(added.begin()),
                    std::make_move_iterator(added.end()));
    return children[index].element.front();
}

Element& Element::insert_before(std::string_view before, Element child, int depth) {
    const auto found =
        std::find_if(children.begin(), children.end(), [&](const Node& n) { return is_element(n, before); });
    if (found == children.end()) return append(std::move(child), depth);
    const auto index = found - children.begin();
    if (index > 0 && is_blank(children[static_cast<size_t>(index) - 1]))
        children.insert(found, text_node(children[static_cast<size_t>(index) - 1].text));
    const auto placed = children.insert(children.begin() + index, element_node(std::move(child)));
    return placed->element.front();
}

bool Element::remove(std::string_view child_name) {
    std::vector<Node> kept;
    for (auto& node : children) {
        if (!is_element(node, child_name))
            kept.push_back(std::move(node));
        else if (!kept.empty() && is_blank(kept.back()))
            kept.pop_back();
    }
    const bool removed = kept.size() < children.size();
    children = std::move(kept);
    if (removed && std::all_of(children.begin(), children.end(), is_blank)) children.clear();
    return removed;
}

static bool is_text(const Node& node) {
    return node.kind == Node::Kind::text || node.kind == Node::Kind::cdata;
}

/// Text and CDATA joined; beside elements and comments, blanks dropped.
static std::vector<Node> significant(const Element& element) {
    const bool only_text = std::all_of(element.children.begin(), element.children.end(), is_text);
    std::vector<Node> out;
    for (const auto& node : element.children) {
        if (!only_text && is_text(node) && text::trim(node.text).empty()) continue;
        if (!is_text(node))
            out.push_back(node);
        else if (!out.empty() && out.back().kind == Node::Kind::text)
            out.back().text += node.text;
        else
            out.push_back(text_node(node.text));
    }
    return out;
}

static bool same_node(const Node& a, const Node& b) {
    if (a.kind != b.kind || a.text != b.text) return false;
    return a.kind != Node::Kind::element || same_content(a.element.front(), b.element.front());
}

bool same_content(const Element& a, const Element& b) {
    if (a.name != b.name || a.attributes.size() != b.attributes.size()) return false;
    if (!std::is_permutation(a.attributes.begin(), a.attributes.end(), b.attributes.begin())) return false;
    const auto left = significant(a), right = significant(b);
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), same_node);
}

} // namespace domsnap::model

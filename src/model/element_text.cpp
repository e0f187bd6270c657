#include "base/text.h"
#include "model/element.h"

#include <algorithm>

namespace domsnap::model {

namespace {

/// libvirt's buffers quote with ', escape both quotes everywhere and know no other way; libxml2, to which
/// libvirt leaves <metadata>, quotes with " and leaves quotes in text alone. Both are needed for `dumpxml` to
/// come back as it went in.
enum class Style { libvirt, libxml2 };

bool representable(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || c == '\t' || c == '\n' || c == '\r';
}

/// Blanks that a parser would normalise (a newline in an attribute, a carriage return anywhere) go as
/// references.
const char* entity(char c, Style style, bool in_attribute) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return style == Style::libvirt || in_attribute ? "&quot;" : nullptr;
    case '\'':
        return style == Style::libvirt ? "&apos;" : nullptr;
    case '\r':
        return "&#13;";
    case '\n':
        return in_attribute ? "&#10;" : nullptr;
    case '\t':
        return in_attribute ? "&#9;" : nullptr;
    default:
        return nullptr;
    }
}

void write_escaped(std::string& out, std::string_view text, Style style, bool in_attribute) {
    for (const char c : text) {
        if (!representable(c)) continue;
        if (const char* name = entity(c, style, in_attribute))
            out += name;
        else
            out += c;
    }
}

void write_element(std::string& out, const Element& element, Style style);

/// A CDATA section cannot hold its own end, so it is cut in two there.
void write_cdata(std::string& out, std::string_view text) {
    out += "<![CDATA[";
    for (auto end = text.find("]]>"); end != std::string_view::npos; end = text.find("]]>")) {
        out.append(text.substr(0, end + 2)).append("]]><![CDATA[");
        text.remove_prefix(end + 2);
    }
    out.append(text).append("]]>");
}

void write_node(std::string& out, const Node& node, Style style) {
    switch (node.kind) {
    case Node::Kind::element:
        write_element(out, node.element.front(), style);
        break;
    case Node::Kind::text:
        write_escaped(out, node.text, style, false);
        break;
    case Node::Kind::comment:
        out.append("<!--").append(node.text).append("-->");
        break;
    case Node::Kind::cdata:
        write_cdata(out, node.text);
        break;
    case Node::Kind::instruction:
        out.append("<?").append(node.text).append("?>");
        break;
    }
}

void write_element(std::string& out, const Element& element, Style style) {
    const char quote = style == Style::libvirt ? '\'' : '"';
    out.append("<").append(element.name);
    for (const auto& [name, value] : element.attributes) {
        out.append(" ").append(name).append("=").append(1, quote);
        write_escaped(out, value, style, true);
        out += quote;
    }
    if (element.children.empty()) {
        out += "/>";
        return;
    }
    out += ">";
    const auto below = element.name == "metadata" ? Style::libxml2 : style;
    for (const auto& node : element.children)
        write_node(out, node, below);
    out.append("</").append(element.name).append(">");
}

bool has_text(const Element& element) {
    return std::any_of(element.children.begin(), element.children.end(), [](const Node& n) {
        return n.kind == Node::Kind::cdata || (n.kind == Node::Kind::text && !text::trim(n.text).empty());
    });
}

bool is_laid_out(const Element& element) {
    return !has_text(element) && std::any_of(element.children.begin(), element.children.end(),
                                             [](const Node& n) { return n.kind != Node::Kind::text; });
}

Node line_break(size_t depth) { return {Node::Kind::text, "\n" + std::string(2 * depth, ' '), {}}; }

void lay_out(Element& element, size_t depth) {
    if (!is_laid_out(element)) return;
    std::vector<Node> lines;
    for (auto& node : element.children) {
        if (node.kind == Node::Kind::text) continue;
        if (node.kind == Node::Kind::element) lay_out(node.element.front(), depth + 1);
        lines.push_back(line_break(depth + 1));
        lines.push_back(std::move(node));
    }
    lines.push_back(line_break(depth));
    element.children = std::move(lines);
}

} // namespace

std::string to_text(const Element& element) {
    std::string out;
    write_element(out, element, Style::libvirt);
    return out;
}

std::string to_pretty_text(const Element& element, int depth) {
    Element copy = element;
    const auto indent = static_cast<size_t>(std::max(depth, 0));
    lay_out(copy, indent);
    return std::string(2 * indent, ' ') + to_text(copy) + "\n";
}

std::string escape_xml(std::string_view text) {
    std::string out;
    write_escaped(out, text, Style::libvirt, false);
    return out;
}

} // namespace domsnap::model

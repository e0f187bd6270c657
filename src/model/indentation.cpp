#include "model/element.h"

namespace domsnap::model {

static bool is_line_break(const Node& node) {
    return node.kind == Node::Kind::text && node.text.find('\n') != std::string::npos &&
           node.text.find_first_not_of(" \n") == std::string::npos;
}

/// The last line's blanks become so many more or fewer.
static void shift_line(std::string& text, long by) {
    const auto start = text.rfind('\n') + 1;
    const auto blanks = static_cast<long>(text.size() - start) + by;
    text.resize(start);
    text.append(static_cast<size_t>(blanks < 0 ? 0 : blanks), ' ');
}

static void shift(Element& element, long by) {
    for (auto& node : element.children) {
        if (is_line_break(node)) shift_line(node.text, by);
        for (auto& child : node.element)
            shift(child, by);
    }
}

void set_indentation(Element& element, size_t blanks) {
    if (element.children.empty() || !is_line_break(element.children.back())) return;
    const auto& last = element.children.back().text;
    const auto now = last.size() - (last.rfind('\n') + 1);
    if (now != blanks) shift(element, static_cast<long>(blanks) - static_cast<long>(now));
}

} // namespace domsnap::model

// An XML document as a value, without loss: elements, text, comments, in order. Domain XML is kept as this,
// so that what domsnap does not know survives every round trip. Text <-> Element is the xml room's; only the
// (pure) writing of text is here, because plans carry complete documents.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace domsnap::model {

struct Element;

/// One child of an element: an element, or text, a comment, a CDATA section or a processing instruction kept
/// verbatim.
struct Node {
    enum class Kind { element, text, comment, cdata, instruction } kind = Kind::text;
    std::string text; ///< unescaped text; for an instruction "target content"
    std::vector<Element>
        element; ///< exactly one if kind is element (a vector, because Element is incomplete here)
};

struct Element {
    std::string name; ///< as written, with its prefix ("qemu:commandline")
    std::vector<std::pair<std::string, std::string>>
        attributes; ///< in order; xmlns declarations are among them
    std::vector<Node> children;
    int line = 0; ///< in the text it was parsed from; 0 = made by us

    Element() = default;
    explicit Element(std::string element_name) : name(std::move(element_name)) {}

    /// The attribute's value, or nullptr.
    const std::string* find_attribute(std::string_view attribute) const;
    /// The attribute's value, or fallback.
    std::string attribute(std::string_view attribute, std::string_view fallback = {}) const;
    void set_attribute(std::string_view attribute, std::string_view value);
    void remove_attribute(std::string_view attribute);

    /// The first child element of that name, or nullptr.
    const Element* child(std::string_view child_name) const;
    Element* child(std::string_view child_name);
    /// child("a")->child("b")… along "a/b"; nullptr where one is missing.
    const Element* at(std::string_view path) const;
    Element* at(std::string_view path);
    std::vector<const Element*> elements() const;
    std::vector<const Element*> elements(std::string_view child_name) const;
    std::vector<Element*> elements(std::string_view child_name);

    /// All text below, concatenated and trimmed.
    std::string text() const;
    /// The same, untrimmed: blanks are part of a snapshot's name or description.
    std::string content() const;
    /// at(path)->text(), or fallback.
    std::string text_at(std::string_view path, std::string_view fallback = {}) const;
    void set_text(std::string_view value);

    /// Appends a child element with the indentation of its siblings (two blanks a level), before the closing
    /// tag. depth: how deep this element lies in its document (root = 0).
    Element& append(Element child, int depth = 0);
    /// Inserts before the first child element named before (or appends).
    Element& insert_before(std::string_view before, Element child, int depth = 0);
    /// Removes all child elements of that name with the blanks before them. True if there was one.
    bool remove(std::string_view child_name);
};

/// Moves the lines below the element sideways, so that its closing tag has so many blanks before it: a
/// document that is put into another one, or taken out. Texts and documents on one line stay as they are.
void set_indentation(Element& element, size_t blanks);

/// The element and what is below it, as libvirt writes XML: attributes in single quotes, the children's
/// blanks as they are; below <metadata> double quotes, because libvirt leaves that to libxml2. No trailing
/// newline.
std::string to_text(const Element& element);
/// With every element on a line of its own, indented by two blanks a level from depth on; blanks between
/// elements are replaced, text is kept, and an element that mixes text with elements is left as it is. Ends
/// in a newline.
std::string to_pretty_text(const Element& element, int depth = 0);
/// & < > and both quotes as entities. Bytes that XML cannot hold (control characters) are dropped, as libvirt
/// does.
std::string escape_xml(std::string_view text);

/// Same content, whatever the blanks between elements and the order of attributes.
bool same_content(const Element& a, const Element& b);

} // namespace domsnap::model

#include "xml/document.h"

#include "base/error.h"
#include "base/text.h"
#include "xml/parser_error.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <memory>

namespace domsnap::xml {

namespace {

using model::Element;
using model::Node;

constexpr size_t max_size = 16 << 20;
constexpr size_t max_depth = 256;
/// An Element costs some fifty times its four bytes "<a/>": without this, 16 MiB of text would fill a
/// gigabyte.
constexpr size_t max_nodes = 500'000;
/// libxml2 compares each attribute of an element with all before it.
constexpr size_t max_attributes = 2'000;

std::string_view view(const xmlChar* text) {
    return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view{};
}

/// Receives libxml2's SAX calls. SAX1 names and attributes come as they are written, xmlns declarations among
/// the attributes: SAX2 would sort them apart, and a document could not be given back as it came.
struct Builder {
    xmlParserCtxtPtr context = nullptr;
    std::string_view stop_at;
    std::vector<Element*> open; ///< the path to the element that is being read
    Element root;
    size_t nodes = 0;
    bool stopped = false;
    std::string refusal; ///< ours, with line
    FirstError error;    ///< libxml2's

    int line() const { return context->input ? context->input->line : 0; }

    void refuse(std::string_view reason) {
        if (refusal.empty()) refusal = fmt::format("{}: {}", line(), reason);
        xmlStopParser(context);
    }

    bool count(size_t added) {
        nodes += added;
        if (nodes > max_nodes) refuse(fmt::format("more than {} elements, attributes and texts", max_nodes));
        return nodes <= max_nodes;
    }

    void add(Node::Kind kind, std::string_view text) {
        if (open.empty()) return;
        auto& siblings = open.back()->children;
        const bool continues = kind == Node::Kind::text && !siblings.empty() && siblings.back().kind == kind;
        if (continues)
            siblings.back().text += text;
        else if (count(1))
            siblings.push_back({kind, std::string(text), {}});
    }

    Element& add_element(std::string_view name) {
        if (open.empty()) {
            root = Element(std::string(name));
            return root;
        }
        auto& node = open.back()->children.emplace_back();
        node.kind = Node::Kind::element;
        return node.element.emplace_back(std::string(name));
    }

    void start(std::string_view name, const xmlChar** attributes) {
        if (open.size() == 1 && !stop_at.empty() && name == stop_at) {
            stopped = true;
            xmlStopParser(context);
            return;
        }
        if (open.size() >= max_depth) return refuse(fmt::format("elements nested deeper than {}", max_depth));
        if (!count(1)) return;
        Element& element = add_element(name);
        element.line = line();
        for (; attributes && attributes[0]; attributes += 2)
            if (count(1)) element.attributes.emplace_back(view(attributes[0]), view(attributes[1]));
        open.push_back(&element);
    }
};

Builder& builder(void* user) { return *static_cast<Builder*>(user); }

void on_start(void* user, const xmlChar* name, const xmlChar** attributes) noexcept {
    builder(user).start(view(name), attributes);
}

void on_end(void* user, const xmlChar*) noexcept {
    if (!builder(user).open.empty()) builder(user).open.pop_back();
}

/// Not by the terminator: text may point into the whole document.
std::string_view view(const xmlChar* text, int length) {
    return {reinterpret_cast<const char*>(text), static_cast<size_t>(length)};
}

void on_text(void* user, const xmlChar* text, int length) noexcept {
    builder(user).add(Node::Kind::text, view(text, length));
}

void on_cdata(void* user, const xmlChar* text, int length) noexcept {
    builder(user).add(Node::Kind::cdata, view(text, length));
}

void on_comment(void* user, const xmlChar* text) noexcept {
    builder(user).add(Node::Kind::comment, view(text));
}

void on_instruction(void* user, const xmlChar* target, const xmlChar* content) noexcept {
    const auto separator = view(content).empty() ? "" : " ";
    builder(user).add(Node::Kind::instruction, fmt::format("{}{}{}", view(target), separator, view(content)));
}

void on_doctype(void* user, const xmlChar*, const xmlChar*, const xmlChar*) noexcept {
    builder(user).refuse(
        "a DOCTYPE is not accepted: entities and DTDs can make a small file huge or read others");
}

void on_error(void* user, const char*, ...) noexcept {
    auto& state = builder(user);
    state.error.note(state.context->lastError, state.open.empty() ? 1 : state.open.back()->line);
}

/// SAX2's magic number would bring SAX2's calls, and with them the structured error handler. Without it
/// libxml2 has filled lastError when it calls error; with neither it would write to stderr.
xmlSAXHandler handler() {
    xmlSAXHandler sax{};
    sax.initialized = 1;
    sax.startElement = on_start;
    sax.endElement = on_end;
    sax.characters = on_text;
    sax.ignorableWhitespace = on_text;
    sax.cdataBlock = on_cdata;
    sax.comment = on_comment;
    sax.processingInstruction = on_instruction;
    sax.internalSubset = on_doctype;
    sax.error = on_error;
    sax.fatalError = on_error;
    return sax;
}

struct FreeContext {
    void operator()(xmlParserCtxtPtr context) const {
        // libxml2 keeps the entities of a DTD in a document of its own, which it forgets when it is stopped
        // in the midst of them (2.9.14).
        xmlFreeDoc(context->myDoc);
        xmlFreeParserCtxt(context);
    }
};

[[noreturn]] void fail(const std::string& source, std::string_view reason, std::string hint = {}) {
    throw Error(ErrorCode::invalid_request, fmt::format("XML error: {}:{}", text::printable(source), reason),
                std::move(hint));
}

/// '<' cannot stand inside a tag: the number of '=' between two of them bounds an element's attributes. A
/// text that is too short for so many ("a='' ") is spared the count: it is half the time of reading a
/// record's head.
bool too_many_attributes(std::string_view text) {
    if (text.size() < 5 * max_attributes) return false;
    size_t equals = 0;
    for (const char c : text) {
        if (c == '<')
            equals = 0;
        else if (c == '=' && ++equals > max_attributes)
            return true;
    }
    return false;
}

/// The encoding that the XML declaration names, in lower case.
std::string declared_encoding(std::string_view text) {
    if (!text.starts_with("<?xml")) return {};
    const auto declaration = text.substr(0, text.find("?>"));
    auto at = declaration.find("encoding");
    if (at != std::string_view::npos) at = declaration.find_first_of("'\"", at);
    if (at == std::string_view::npos) return {};
    auto name = std::string(declaration.substr(at + 1, declaration.find(declaration[at], at + 1) - at - 1));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return name;
}

/// Those in which ASCII's bytes mean ASCII (or their two- and four-byte forms): what is counted above must be
/// what libxml2 reads.
bool known_encoding(const std::string& name) {
    static constexpr std::array known{"utf-8", "utf8",      "utf-16", "ucs-",        "us-ascii",
                                      "ascii", "iso-8859-", "latin",  "windows-125", "cp125"};
    return name.empty() ||
           std::any_of(known.begin(), known.end(), [&](const char* k) { return name.starts_with(k); });
}

void check_before_parsing(std::string_view text, const std::string& source) {
    if (text.size() > max_size)
        fail(source, fmt::format(" {} are more than the {} that are accepted", text::human_size(text.size()),
                                 text::human_size(max_size)));
    if (text::trim(text).empty()) fail(source, "1: Document is empty");
    if (too_many_attributes(text))
        fail(source, fmt::format(" an element with more than {} attributes, or a text with as many '='",
                                 max_attributes));
    if (const auto name = declared_encoding(text);
        !known_encoding(name) || text.starts_with("\x4c\x6f\xa7\x94"))
        fail(source, fmt::format("1: encoding '{}' is not supported", text::printable(name)),
             "convert it to UTF-8");
}

Element read(std::string_view text, std::string_view stop_at, const std::string& source) {
    static const bool initialised = (xmlInitParser(), true);
    static_cast<void>(initialised);
    check_before_parsing(text, source);
    const std::unique_ptr<xmlParserCtxt, FreeContext> context(
        xmlCreateMemoryParserCtxt(text.data(), static_cast<int>(text.size())));
    if (!context) throw std::bad_alloc();
    Builder state;
    state.context = context.get();
    state.stop_at = stop_at;
    // NOENT: without it libxml2 hands '&' in attributes on as "&#38;". There are no entities to expand
    // without a DTD.
    xmlCtxtUseOptions(context.get(), XML_PARSE_NONET | XML_PARSE_NOENT);
    *context->sax = handler();
    context->userData = &state;
    xmlParseDocument(context.get());
    if (!state.refusal.empty()) fail(source, state.refusal);
    if (!context->wellFormed && !state.stopped) fail(source, state.error.text());
    return std::move(state.root);
}

} // namespace

Element parse(std::string_view text, const std::string& source) { return read(text, {}, source); }

Element parse_head(std::string_view text, std::string_view stop_at, const std::string& source) {
    return read(text, stop_at, source);
}

Element parse_root(std::string_view text, const std::string& root, const std::string& source) {
    auto element = parse(text, source);
    if (element.name != root)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("XML error: expecting root element of '{}', not '{}'", root,
                                text::printable(element.name)));
    if (!element.attribute("xmlns").empty())
        throw Error(ErrorCode::invalid_request,
                    fmt::format("XML error: {}:{}: <{}> must not have a namespace (xmlns='{}')",
                                text::printable(source), element.line, root,
                                text::printable(element.attribute("xmlns"))));
    return element;
}

} // namespace domsnap::xml

#include "xml/validate.h"

#include "base/error.h"
#include "base/text.h"
#include "xml/document.h"
#include "xml/parser_error.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <memory>
#include <mutex>

#ifndef DOMSNAP_SOURCE_SCHEMAS
#define DOMSNAP_SOURCE_SCHEMAS ""
#endif
#ifndef DOMSNAP_INSTALLED_SCHEMAS
#define DOMSNAP_INSTALLED_SCHEMAS ""
#endif

namespace domsnap::xml {

namespace {

template <auto Free>
struct Freeing {
    template <class T>
    void operator()(T* pointer) const {
        Free(pointer);
    }
};
using Document = std::unique_ptr<xmlDoc, Freeing<xmlFreeDoc>>;
using ParserContext = std::unique_ptr<xmlParserCtxt, Freeing<xmlFreeParserCtxt>>;
using SchemaParser = std::unique_ptr<xmlRelaxNGParserCtxt, Freeing<xmlRelaxNGFreeParserCtxt>>;
using Schema = std::unique_ptr<xmlRelaxNG, Freeing<xmlRelaxNGFree>>;
using Validation = std::unique_ptr<xmlRelaxNGValidCtxt, Freeing<xmlRelaxNGFreeValidCtxt>>;

void collect(void* user, xmlErrorPtr error) noexcept {
    auto& faults = *static_cast<std::vector<Fault>*>(user);
    if (faults.size() < 100) faults.push_back({error->line, words(*error)});
}

/// libxml2 names no line where an element does not fit among its siblings, and then says of that element,
/// with the line, that it "failed to validate content": one fault, with the line of the second and the words
/// of the first.
std::vector<Fault> joined(const std::vector<Fault>& faults) {
    std::vector<Fault> out;
    for (const auto& fault : faults) {
        const bool tail = fault.reason.find("failed to validate content") != std::string::npos;
        const bool lineless = !out.empty() && out.back().line == 0;
        if (lineless) out.back().line = fault.line;
        if (!tail || out.empty()) out.push_back(fault);
    }
    return out;
}

void ignore(void*, xmlErrorPtr) noexcept {}

/// libxml2's own tree. The text has passed our parser, so it is bounded and has no DTD.
Document tree_of(std::string_view text) {
    const ParserContext context(xmlNewParserCtxt());
    if (!context) throw std::bad_alloc();
    context->sax->serror = ignore;
    constexpr int options = XML_PARSE_NONET | XML_PARSE_BIG_LINES;
    return Document(xmlCtxtReadMemory(context.get(), text.data(), static_cast<int>(text.size()), nullptr,
                                      nullptr, options));
}

Schema load_schema(const std::string& path) {
    // libxml2 fills its table of datatypes at first use, without a lock.
    static std::mutex first_use;
    const std::lock_guard lock(first_use);
    std::error_code failure;
    if (!std::filesystem::exists(path, failure))
        throw Error(ErrorCode::not_found, fmt::format("no schema file '{}'", text::printable(path)));
    const SchemaParser parser(xmlRelaxNGNewParserCtxt(path.c_str()));
    if (!parser) throw std::bad_alloc();
    std::vector<Fault> faults;
    xmlRelaxNGSetParserStructuredErrors(parser.get(), collect, &faults);
    Schema schema(xmlRelaxNGParse(parser.get()));
    if (!schema)
        throw Error(ErrorCode::io,
                    fmt::format("cannot read schema '{}': {}", text::printable(path),
                                faults.empty() ? "not a RELAX NG schema" : faults.front().reason));
    return schema;
}

std::string first_existing(const std::vector<std::string>& candidates) {
    std::error_code failure;
    for (const auto& path : candidates)
        if (path.starts_with('/') && std::filesystem::is_regular_file(path, failure)) return path;
    return {};
}

} // namespace

std::string find_schema(const std::string& root_element) {
    if (root_element.empty() || root_element.find('/') != std::string::npos) return {};
    const auto file = "/" + root_element + ".rng";
    std::vector<std::string> candidates;
    if (const char* folder = std::getenv("DOMSNAP_SCHEMA_DIR")) candidates.push_back(folder + file);
    candidates.push_back(DOMSNAP_INSTALLED_SCHEMAS + file);
    candidates.push_back(DOMSNAP_SOURCE_SCHEMAS + file);
    // <domain> is libvirt's language: its own schema is the one that knows it. Ours describes what we add to
    // snapshots.
    if (root_element == "domain") candidates.push_back("/usr/share/libvirt/schemas" + file);
    return first_existing(candidates);
}

std::vector<Fault> validate(std::string_view text, const std::string& source,
                            const std::string& schema_path) {
    static_cast<void>(parse(text, source));
    const auto document = tree_of(text);
    if (!document)
        throw Error(ErrorCode::invalid_request, fmt::format("XML error: {}: not well-formed", source));
    const auto schema = load_schema(schema_path);
    const Validation validation(xmlRelaxNGNewValidCtxt(schema.get()));
    if (!validation) throw std::bad_alloc();
    std::vector<Fault> faults;
    xmlRelaxNGSetValidStructuredErrors(validation.get(), collect, &faults);
    const int result = xmlRelaxNGValidateDoc(validation.get(), document.get());
    if (result != 0 && faults.empty()) faults.push_back({0, "the document does not match the schema"});
    return joined(faults);
}

void require_valid(std::string_view text, const std::string& source, const std::string& schema_path) {
    const auto faults = validate(text, source, schema_path);
    if (!faults.empty())
        throw Error(ErrorCode::invalid_request,
                    fmt::format("XML document failed to validate against schema: line {}: {}",
                                faults.front().line, faults.front().reason));
}

} // namespace domsnap::xml

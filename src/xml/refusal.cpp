#include "xml/refusal.h"

#include "base/text.h"

#include <fmt/format.h>

namespace domsnap::xml {

void Place::refuse(const model::Element& element, const std::string& words, std::string hint) const {
    const bool named = !source.empty() && source.front() != '(' && element.line > 0;
    const auto where =
        named ? fmt::format(" ({}, line {})", text::printable(source), element.line) : std::string{};
    throw Error(code, text::printable(words) + where, std::move(hint));
}

void Place::refuse_value(const model::Element& element, const char* attribute, std::string hint) const {
    refuse(element,
           fmt::format("XML error: Invalid value for attribute '{}' in element '{}': '{}'.", attribute,
                       element.name, element.attribute(attribute)),
           std::move(hint));
}

} // namespace domsnap::xml

#include "machine/elements.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::machine {

namespace {

bool holds(std::initializer_list<std::string_view> words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

[[noreturn]] void throw_unsupported(const std::string& place, const std::string& why,
                                    const std::string& hint) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: domsnap cannot run this{}{}", place, why.empty() ? "" : ": ", why), hint);
}

} // namespace

std::string where(const model::Element& element, std::string_view attribute) {
    std::string shown;
    if (const auto* value = attribute.empty() ? nullptr : element.find_attribute(attribute))
        shown = fmt::format(" {}='{}'", attribute, text::printable(*value));
    const std::string line = element.line > 0 ? fmt::format(" at line {}", element.line) : "";
    return fmt::format("<{}{}>{}", text::printable(element.name), shown, line);
}

void refuse(const model::Element& element, const std::string& why, const std::string& hint) {
    throw_unsupported(where(element), why, hint);
}

void refuse_attribute(const model::Element& element, std::string_view attribute, const std::string& why,
                      const std::string& hint) {
    throw_unsupported(where(element, attribute), why, hint);
}

void only_children(const model::Element& element, std::initializer_list<std::string_view> known) {
    for (const auto* child : element.elements())
        if (!holds(known, child->name)) refuse(*child, fmt::format("not known in <{}>", element.name));
}

void only_attributes(const model::Element& element, std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : element.attributes)
        if (!holds(known, name) && !name.starts_with("xmlns"))
            refuse_attribute(element, name, "attribute not known");
}

std::optional<bool> switch_of(const model::Element& element, std::string_view attribute) {
    const auto* value = element.find_attribute(attribute);
    if (!value) return std::nullopt;
    if (*value == "yes" || *value == "on") return true;
    if (*value == "no" || *value == "off") return false;
    refuse_attribute(element, attribute, "neither on nor off");
}

std::optional<bool> child_state(const model::Element& element, std::string_view child) {
    const auto* found = element.child(child);
    if (!found) return std::nullopt;
    return switch_of(*found, "state").value_or(true);
}

std::optional<uint64_t> number_of(const model::Element& element, std::string_view attribute) {
    const auto* value = element.find_attribute(attribute);
    if (!value) return std::nullopt;
    if (const auto number = text::to_u64_any_base(*value)) return number;
    refuse_attribute(element, attribute, "not a number");
}

std::string word_of(const model::Element& element, std::string_view attribute, std::string_view fallback,
                    std::initializer_list<std::string_view> words) {
    const auto* value = element.find_attribute(attribute);
    if (!value) return std::string(fallback);
    if (holds(words, *value)) return *value;
    refuse_attribute(element, attribute);
}

const char* on_off(bool value) { return value ? "on" : "off"; }

} // namespace domsnap::machine

// Reading a <domain> strictly: what a part does not know it refuses, by element and line. Knows nothing of
// QEMU.
#pragma once

#include "model/element.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace domsnap::machine {

/// "<interface type='network'> at line 12".
std::string where(const model::Element& element, std::string_view attribute = {});

/// Throws unsupported: "<hostdev> at line 12: domsnap cannot run this: WHY".
[[noreturn]] void refuse(const model::Element& element, const std::string& why = {},
                         const std::string& hint = {});
[[noreturn]] void refuse_attribute(const model::Element& element, std::string_view attribute,
                                   const std::string& why = {}, const std::string& hint = {});

/// Refuses the first child element or attribute that is not named.
void only_children(const model::Element& element, std::initializer_list<std::string_view> known);
void only_attributes(const model::Element& element, std::initializer_list<std::string_view> known);

/// "yes"/"on" and "no"/"off"; nothing if the attribute is missing; anything else is refused.
std::optional<bool> switch_of(const model::Element& element, std::string_view attribute);
/// The same, of a child's state= attribute; a child without one means on.
std::optional<bool> child_state(const model::Element& element, std::string_view child);
/// Decimal or 0x…; nothing if the attribute is missing; anything else is refused.
std::optional<uint64_t> number_of(const model::Element& element, std::string_view attribute);
/// The attribute, which must be one of the words; fallback if it is missing.
std::string word_of(const model::Element& element, std::string_view attribute, std::string_view fallback,
                    std::initializer_list<std::string_view> words);

const char* on_off(bool value);

} // namespace domsnap::machine

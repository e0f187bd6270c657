// The remote protocol's procedures by name and number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace domsnap::rpc {

/// "domain_create" for 9; "" for a number that is unknown here.
std::string_view procedure_name(int32_t number);
/// 0 for a name that is none.
int32_t procedure_number(std::string_view name);
/// As libvirt's messages name it: "virDomainCreate".
std::string function_name(std::string_view procedure);

} // namespace domsnap::rpc

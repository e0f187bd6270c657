// What a client asks about the machine and its QEMU before it makes a domain: as numbers, and as libvirt's
// documents.
#pragma once

#include <domsnap/host.h>
#include <string>

namespace domsnap::rpc {

struct EmulatorFacts {
    EmulatorInfo info;
    uint64_t version_number = 0; ///< major * 1000000 + minor * 1000 + micro
};
EmulatorFacts emulator_facts(const Host& host);

std::string capabilities_xml(const NodeInfo& node, const EmulatorFacts& emulator);

struct DomainKind {
    std::string arch, machine, type; ///< "" = the default
};
/// Throws Refusal for an architecture, a machine or a type that is not had.
std::string domain_capabilities_xml(const EmulatorFacts& emulator, const DomainKind& wanted);

} // namespace domsnap::rpc

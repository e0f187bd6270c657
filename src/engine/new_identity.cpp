#include "engine/new_identity.h"

#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "os/file.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <fmt/format.h>

namespace domsnap::engine {

namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::vector<const model::Element*> interfaces_of(const model::Element& document) {
    const auto* devices = document.child("devices");
    return devices ? devices->elements("interface") : std::vector<const model::Element*>{};
}

void add_macs(std::set<std::string>& macs, const model::Domain& domain) {
    for (const auto* interface : interfaces_of(domain.document))
        if (const auto* mac = interface->child("mac")) macs.insert(lower(mac->attribute("address")));
}

} // namespace

std::string new_uuid() {
    const auto random = os::random_bytes(16);
    UuidBytes bytes{};
    std::memcpy(bytes.data(), random.data(), bytes.size());
    return uuid_from_random(bytes);
}

NewIdentities::NewIdentities(const Folders& folders) : state_(folders.state) {
    for (const auto& name : store::domain_names(folders.state)) {
        try {
            const View view(folders, name);
            add_macs(macs_, view.definition());
            add_macs(macs_, view.live());
        } catch (const Error&) { // undefined while we look, or damaged: its own verbs say so
        }
    }
}

/// QEMU's own range, as libvirt draws them.
std::string NewIdentities::free_mac() {
    for (;;) {
        const auto random = os::random_bytes(3);
        const auto byte = [&](size_t at) { return static_cast<unsigned char>(random[at]); };
        const auto mac = fmt::format("52:54:00:{:02x}:{:02x}:{:02x}", byte(0), byte(1), byte(2));
        if (macs_.insert(mac).second) return mac;
    }
}

plan::ForkIdentity NewIdentities::draw(const std::string& name, const model::Snapshot& snapshot) {
    plan::ForkIdentity identity{name, new_uuid(), new_uuid(), {}, {}};
    identity.firmware_folder = store::firmware_folder(state_, identity.uuid);
    size_t interfaces = 0;
    for (const auto* documents : {&snapshot.domain, &snapshot.inactive_domain})
        for (const auto& document : *documents)
            interfaces += interfaces_of(document).size();
    while (identity.macs.size() < interfaces)
        identity.macs.push_back(free_mac());
    return identity;
}

} // namespace domsnap::engine

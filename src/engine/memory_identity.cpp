#include "engine/memory_identity.h"

#include "base/text.h"
#include "store/checksum.h"

#include <fmt/format.h>

namespace domsnap::engine {

memory::ImageIdentity identity_of(const model::Domain& live, const std::string& qemu_version, int64_t now) {
    memory::ImageIdentity identity;
    identity.domain_uuid = live.uuid;
    identity.domain_hash = store::hash_text(model::to_text(live.document));
    identity.machine = live.machine;
    identity.ram_size = live.memory;
    identity.qemu_version = qemu_version;
    identity.created = now;
    return identity;
}

static std::string machine_problem(const memory::ImageIdentity& image, const std::string& file,
                                   const model::Domain& machine, const char* whose) {
    if (image.ram_size != machine.memory)
        return fmt::format("{} holds {} of RAM, {} machine has {}", file, text::human_size(image.ram_size),
                           whose, text::human_size(machine.memory));
    if (image.machine != machine.machine)
        return fmt::format("{} is of a machine '{}', {} is '{}'", file, image.machine, whose,
                           machine.machine);
    return {};
}

std::string identity_problem(const memory::ImageIdentity& image, const model::Snapshot& snapshot,
                             const model::Domain& domain) {
    const auto& file = snapshot.memory.file;
    if (image.domain_uuid != domain.uuid)
        return fmt::format("{} is of another domain (uuid {})", file, image.domain_uuid);
    if (snapshot.domain.empty()) return {};
    const auto was = model::domain_from(snapshot.domain.front());
    return machine_problem(image, file, was, "the snapshot's");
}

std::string identity_problem(const memory::ImageIdentity& image, const std::string& file,
                             const model::Domain& machine) {
    if (image.domain_uuid != machine.uuid)
        return fmt::format("{} is of another domain (uuid {})", file, image.domain_uuid);
    return machine_problem(image, file, machine, "the domain's");
}

} // namespace domsnap::engine

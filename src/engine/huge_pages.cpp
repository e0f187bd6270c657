#include "engine/huge_pages.h"

#include "os/huge_pages.h"

#include <chrono>

namespace domsnap::engine {

/// A stop that is short anyway.
static constexpr uint64_t worth_it = 64 << 20;
/// Of a snapshot that is asked for now, only so much later it may be.
static constexpr std::chrono::seconds longest{5};

/// QEMU's mapping of the guest's RAM: the smallest anonymous one that can hold it.
static std::optional<os::AddressRange> ram_of(const os::ProcessId& process, uint64_t memory) {
    std::optional<os::AddressRange> found;
    for (const auto& mapping : os::ForeignMemory(process).mappings())
        if (mapping.inode == 0 && mapping.writable && !mapping.shared && mapping.size >= memory &&
            (!found || mapping.size < found->size))
            found = {mapping.start, mapping.size};
    return found;
}

void shorten_the_stop(const Session& session) {
    const auto process = session.process();
    const auto memory = session.live().memory;
    if (!process || memory < worth_it) return;
    try {
        const Deadline patience = Deadline::after(longest);
        if (const auto ram = ram_of(*process, memory))
            os::restore_huge_pages(*process, *ram,
                                   [&] { return patience.passed() || session.control().cancelled(); });
    } catch (const Error&) {
        // Then the stop takes as long as it takes.
    }
}

} // namespace domsnap::engine

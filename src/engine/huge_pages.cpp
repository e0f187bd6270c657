#include "engine/huge_pages.h"

#include "engine/mapped_image.h"
#include "os/huge_pages.h"

#include <algorithm>
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

/// QEMU reads every page in the stop, before it protects them. The first one to read it waits for the kernel
/// to enter it into QEMU's page table; a copy's pages stay there.
static void touch_copy(const os::ProcessId& process, const memory::RamCopy& copy,
                       const std::function<bool()>& should_stop) {
    constexpr uint64_t at_once = 16 << 20;
    const os::ForeignMemory memory(process);
    for (const auto& mapping : memory.mappings()) {
        if (mapping.inode != copy.inode || mapping.device != copy.device) continue;
        for (uint64_t done = 0; done < mapping.size && !should_stop(); done += at_once)
            memory.touch({mapping.start + done, std::min(at_once, mapping.size - done)});
    }
}

void shorten_the_stop(const Session& session) {
    const auto process = session.process();
    const auto memory = session.live().memory;
    if (!process || memory < worth_it) return;
    try {
        const Deadline patience = Deadline::after(longest);
        const auto should_stop = [&] { return patience.passed() || session.control().cancelled(); };
        const auto mapped = mapped_ram(session);
        if (mapped && mapped->copy)
            touch_copy(*process, *mapped->copy, should_stop);
        else if (const auto ram = ram_of(*process, memory))
            os::restore_huge_pages(*process, *ram, should_stop);
    } catch (const Error&) {
        // Then the stop takes as long as it takes.
    }
}

} // namespace domsnap::engine

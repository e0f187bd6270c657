#include "os/huge_pages.h"

#include "os/effect.h"
#include "os/own_pages.h"
#include "os/pidfd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <sys/mman.h>
#include <sys/uio.h>

namespace domsnap::os {

static constexpr uint64_t huge_page = 2 << 20;
static constexpr int madv_collapse = 25; // Linux 6.1; glibc 2.36 does not name it

/// Bytes of small pages by the huge page's place that they lie in.
static std::map<uint64_t, uint64_t> small_bytes(const std::vector<AddressRange>& small) {
    std::map<uint64_t, uint64_t> bytes;
    for (const auto& [start, size] : small)
        for (uint64_t at = start, end = start + size; at < end;) {
            const uint64_t place = at / huge_page * huge_page, next = std::min(end, place + huge_page);
            bytes[place] += next - at;
            at = next;
        }
    return bytes;
}

static bool collapse(const Fd& process, const ProcessId& id, uint64_t place) {
    const iovec where{reinterpret_cast<void*>(place), huge_page};
    return effect({Effect::Kind::poke, fmt::format("process {}", id.pid)},
                  [&] { return ::process_madvise(process.get(), &where, 1, madv_collapse, 0); }) > 0;
}

size_t restore_huge_pages(const ProcessId& process, const AddressRange& range,
                          const std::function<bool()>& should_stop) {
    const Fd held(::pidfd_open(process.pid, 0));
    const Fd map(::open(fmt::format("/proc/{}/pagemap", process.pid).c_str(), O_RDONLY | O_CLOEXEC));
    if (!held || !map || !is_alive(process)) return 0;
    const auto small = scan_small_pages(map, range.start, range.size);
    size_t made = 0;
    if (small)
        for (const auto& [place, bytes] : small_bytes(*small)) {
            const bool inside = place >= range.start && range.start + range.size - place >= huge_page;
            if (!inside || bytes < huge_page / 2) continue;
            if (should_stop()) break;
            if (collapse(held, process, place))
                ++made;
            else if (errno == EPERM || errno == EINVAL || errno == ENOMEM)
                break; // the others would fail the same way
        }
    return made;
}

} // namespace domsnap::os

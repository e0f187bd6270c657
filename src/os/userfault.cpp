#include "os/userfault.h"

#include "base/text.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/mapping_flags.h"
#include "os/pidfd.h"

#include <climits>
#include <fmt/format.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace domsnap::os {

static std::string name_of_descriptor(const std::string& path) {
    char name[PATH_MAX];
    const ssize_t size = ::readlink(path.c_str(), name, sizeof name);
    return size < 0 ? std::string() : std::string(name, static_cast<size_t>(size)); // closed meanwhile
}

static std::vector<int> userfaultfds_of(pid_t pid) {
    std::vector<int> numbers;
    const std::string folder = fmt::format("/proc/{}/fd", pid);
    for (const auto& entry : list_folder(folder))
        if (name_of_descriptor(folder + "/" + entry) == "anon_inode:[userfaultfd]")
            if (const auto number = text::to_u64(entry)) numbers.push_back(static_cast<int>(*number));
    return numbers;
}

/// Errors are left: a descriptor of another part of the process knows nothing of this mapping.
static void free_mapping(const Fd& userfaults, const AddressRange& mapping) {
    uffdio_writeprotect protection{{mapping.start, mapping.size}, 0};
    ::ioctl(userfaults.get(), UFFDIO_WRITEPROTECT, &protection);
    uffdio_range range{mapping.start, mapping.size};
    ::ioctl(userfaults.get(), UFFDIO_WAKE, &range);
    ::ioctl(userfaults.get(), UFFDIO_UNREGISTER, &range);
}

bool free_from_userfaultfd(const ProcessId& process) {
    const Fd held(::pidfd_open(process.pid, 0));
    if (!held || !is_alive(process)) return false;
    const auto mappings = mappings_with_flag(process, registered_for_write_protection);
    if (mappings.empty()) return false;
    for (const int number : userfaultfds_of(process.pid)) {
        const Fd userfaults(::pidfd_getfd(held.get(), number, 0));
        if (!userfaults) fail("take the userfaultfd of", fmt::format("process {}", process.pid));
        for (const auto& mapping : mappings)
            free_mapping(userfaults, mapping);
    }
    return true;
}

} // namespace domsnap::os

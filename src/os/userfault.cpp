#include "os/userfault.h"

#include "base/text.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/pidfd.h"

#include <climits>
#include <cstdlib>
#include <fmt/format.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace domsnap::os {

namespace {
struct Range {
    uint64_t start = 0, size = 0;
};
} // namespace

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

/// "7f00-7f80 rw-p …": where a mapping's lines in smaps begin; nothing for its other lines.
static std::optional<Range> range_in(std::string_view line) {
    const auto dash = line.find('-'), blank = line.find(' ');
    if (dash == line.npos || blank == line.npos || blank < dash) return std::nullopt;
    const auto number = [](std::string_view hex) -> std::optional<uint64_t> {
        if (hex.empty() || hex.find_first_not_of("0123456789abcdef") != hex.npos) return std::nullopt;
        return std::strtoull(std::string(hex).c_str(), nullptr, 16);
    };
    const auto start = number(line.substr(0, dash)), end = number(line.substr(dash + 1, blank - dash - 1));
    if (!start || !end || *end <= *start) return std::nullopt;
    return Range{*start, *end - *start};
}

static bool is_protected(std::string_view flags) {
    for (const auto& flag : text::split(flags, ' '))
        if (flag == "uw")
            return true; // registered for write-protect faults (Linux, Documentation/filesystems/proc)
    return false;
}

static std::vector<Range> protected_mappings(pid_t pid) {
    constexpr uint64_t most = 256 << 20;
    std::vector<Range> found;
    Range mapping;
    for (const auto& line : text::split(read_file(fmt::format("/proc/{}/smaps", pid), most), '\n')) {
        if (const auto range = range_in(line)) mapping = *range;
        if (line.starts_with("VmFlags:") && is_protected(line)) found.push_back(mapping);
    }
    return found;
}

/// Errors are left: a descriptor of another part of the process knows nothing of this mapping.
static void free_mapping(const Fd& userfaults, const Range& mapping) {
    uffdio_writeprotect protection{{mapping.start, mapping.size}, 0};
    ::ioctl(userfaults.get(), UFFDIO_WRITEPROTECT, &protection);
    uffdio_range range{mapping.start, mapping.size};
    ::ioctl(userfaults.get(), UFFDIO_WAKE, &range);
    ::ioctl(userfaults.get(), UFFDIO_UNREGISTER, &range);
}

bool free_from_userfaultfd(const ProcessId& process) {
    const Fd held(::pidfd_open(process.pid, 0));
    if (!held || !is_alive(process)) return false;
    const auto mappings = protected_mappings(process.pid);
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

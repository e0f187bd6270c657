// What the limits of control groups leave, version 2 and 1 (memory.max, memory.limit_in_bytes): a process
// that goes beyond one is killed, however much memory the host has.
#include "os/host_memory.h"

#include "base/text.h"
#include "os/file.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace domsnap::os {

namespace {

/// The names that the two versions have for the same.
struct Names {
    const char *limit, *usage, *inactive, *active;
};
constexpr Names second{"memory.max", "memory.current", "inactive_file", "active_file"};
constexpr Names first{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
                      "total_active_file"};

/// "max" is no number.
std::optional<uint64_t> number_in(const std::string& file) {
    if (!exists(file)) return std::nullopt;
    return text::to_u64(text::trim(read_file_start(file, 64)));
}

uint64_t value_of(std::string_view name, const std::string& file) {
    if (!exists(file)) return 0;
    for (const auto& line : text::split(read_file_start(file, 64 << 10), '\n'))
        if (const auto words = text::split(line, ' '); words.size() == 2 && words[0] == name)
            return text::to_u64(words[1]).value_or(0);
    return 0;
}

/// Pages of files are counted too, and go before anything is killed.
std::optional<uint64_t> left_in(const std::string& folder, const Names& names) {
    const auto limit = number_in(folder + "/" + names.limit);
    const auto usage = number_in(folder + "/" + names.usage);
    if (!limit || !usage) return std::nullopt;
    const auto stat = folder + "/memory.stat";
    const uint64_t files = value_of(names.inactive, stat) + value_of(names.active, stat);
    const uint64_t used = *usage - std::min(*usage, files);
    return *limit - std::min(*limit, used);
}

/// Of the group and all that it lies in. A container may see only the lower end of its path, at the top.
uint64_t least_along(const std::string& top, std::string path, const Names& names) {
    uint64_t least = UINT64_MAX;
    for (;;) {
        if (const auto left = left_in(top + path, names)) least = std::min(least, *left);
        const auto slash = path.rfind('/');
        if (slash == std::string::npos) return least;
        path.resize(slash);
    }
}

bool has_word(std::string_view list, std::string_view word) {
    const auto words = text::split(list, ',');
    return std::find(words.begin(), words.end(), word) != words.end();
}

} // namespace

uint64_t left_by_control_groups(const std::string& groups_of_process, const std::string& mounted) {
    if (!exists(groups_of_process)) return UINT64_MAX;
    uint64_t least = UINT64_MAX;
    // "NUMBER:CONTROLLERS:PATH"; version 2 has no controllers there
    for (const auto& line : text::split(read_file_start(groups_of_process, 64 << 10), '\n')) {
        const auto colon = line.find(':'), next = line.find(':', colon + 1);
        if (colon == std::string::npos || next == std::string::npos) continue;
        const auto controllers = line.substr(colon + 1, next - colon - 1);
        auto path = line.substr(next + 1);
        if (path == "/" || path.find("..") != std::string::npos) path.clear();
        if (controllers.empty()) least = std::min(least, least_along(mounted, path, second));
        if (has_word(controllers, "memory"))
            least = std::min(least, least_along(mounted + "/memory", path, first));
    }
    return least;
}

uint64_t available_memory() {
    const auto host = host_memory("MemAvailable");
    if (host == 0) return 0;
    return std::max<uint64_t>(1,
                              std::min(host, left_by_control_groups("/proc/self/cgroup", "/sys/fs/cgroup")));
}

} // namespace domsnap::os

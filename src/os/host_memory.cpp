#include "os/host_memory.h"

#include "base/text.h"
#include "os/file.h"

namespace domsnap::os {

uint64_t host_memory(std::string_view what) {
    const std::string file = "/proc/meminfo";
    if (!exists(file)) return 0;
    for (const auto& line : text::split(read_file_start(file, 64 << 10), '\n')) {
        if (!line.starts_with(what) || line.size() <= what.size() || line[what.size()] != ':') continue;
        const auto words = text::split(text::trim(line.substr(what.size() + 1)), ' ');
        return text::to_u64(words.front()).value_or(0) << 10;
    }
    return 0;
}

} // namespace domsnap::os

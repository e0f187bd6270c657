#include "image/vm_state.h"

#include "base/text.h"
#include "image/qcow2.h"
#include "os/bulk.h"

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <vector>

namespace domsnap::image {

static constexpr size_t at_once = 2 << 20;

/// Fills the chunk with the state from that byte on.
static void read_state(const Qcow2File& file, VmStateMap& map, uint64_t at, std::span<char> chunk) {
    while (!chunk.empty()) {
        const auto [offset, size] = map.extent(at, chunk.size());
        if (offset)
            file.read(chunk.data(), size, *offset);
        else
            std::fill_n(chunk.begin(), size, '\0');
        chunk = chunk.subspan(size);
        at += size;
    }
}

uint64_t vm_state_size(const std::string& path, const std::string& tag) {
    return Qcow2File(path).snapshot(tag).vm_state_size;
}

void write_vm_state(const std::string& path, const std::string& tag, int out, const Control& control) {
    const Qcow2File file(path);
    const Qcow2Snapshot snapshot = file.snapshot(tag);
    VmStateMap map(file, snapshot);
    std::vector<char> buffer(static_cast<size_t>(std::min<uint64_t>(at_once, snapshot.vm_state_size)));
    for (uint64_t at = 0; at < snapshot.vm_state_size;) {
        const auto size = static_cast<size_t>(std::min<uint64_t>(buffer.size(), snapshot.vm_state_size - at));
        read_state(file, map, at, {buffer.data(), size});
        const auto stop = [&] { return control.cancelled(); };
        if (!os::write_as_read(out, buffer.data(), size, stop, "the reader of the VM state"))
            throw Error(ErrorCode::cancelled,
                        fmt::format("reading the VM state of '{}' was stopped", text::printable(tag)));
        control.report("memory", at += size, snapshot.vm_state_size);
    }
}

} // namespace domsnap::image

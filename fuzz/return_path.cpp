// The parser of a postcopy destination's answers on hostile bytes. The first byte chooses the pieces in which
// they come.
#include "memory/return_path.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <domsnap/error.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace domsnap::memory;
    static const std::vector<RamBlock> blocks{{"pc.ram", 1 << 20, 0}, {"vga.vram", 64 << 10, 2 << 20}};
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const size_t piece = size_t{data[0]} + 1;
    ReturnPath path(blocks);
    try {
        for (size_t at = 0; at < bytes.size(); at += piece) {
            path.feed(bytes.substr(at, piece));
            while (const auto message = path.next())
                if (message->block >= blocks.size() || message->first + message->count > 256) std::abort();
        }
    } catch (const domsnap::Error&) {
        // Refused, as most inputs are.
    }
    return 0;
}

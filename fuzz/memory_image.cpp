// The image reader on hostile files. A first byte that is odd has the checksums set right first, so that what
// lies behind them is reached too.
#include "memory/image.h"
#include "memory/image_format.h"
#include "memory/page_run.h"
#include "os/fd.h"
#include "os/file.h"

#include <algorithm>
#include <cstdint>
#include <domsnap/error.h>
#include <string>
#include <sys/mman.h>

namespace {

using namespace domsnap::memory;

void put(std::string& file, uint64_t at, uint64_t value) {
    if (at <= file.size() && file.size() - at >= 8)
        file.replace(at, 8, reinterpret_cast<const char*>(&value), 8);
}

uint64_t get(const std::string& file, uint64_t at) {
    uint64_t value = 0;
    if (at <= file.size() && file.size() - at >= 8) file.copy(reinterpret_cast<char*>(&value), 8, at);
    return value;
}

uint64_t sum_of(const std::string& file, uint64_t offset, uint64_t size) {
    return offset <= file.size() && size <= file.size() - offset ? checksum(file.data() + offset, size) : 0;
}

void set_checksums_right(std::string& file) {
    if (file.size() < trailer_size) return;
    const uint64_t trailer = file.size() - trailer_size, mark = get(file, trailer + 16),
                   table = get(file, trailer + 24);
    const uint64_t entries = std::min<uint64_t>(get(file, trailer + 32) / section_entry_size, max_sections);
    put(file, mark + 24, file.size());
    put(file, mark + 56, sum_of(file, mark, 56));
    for (uint64_t i = 0; i < entries; ++i) {
        const uint64_t entry = table + i * section_entry_size;
        if (entry < table || entry > file.size()) break;
        put(file, entry + 24, sum_of(file, get(file, entry + 8), get(file, entry + 16)));
    }
    put(file, trailer + 40, sum_of(file, table, get(file, trailer + 32)));
    put(file, trailer + 48, file.size());
    put(file, trailer + 56, checksum(file.data() + trailer, 56));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    std::string file(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] & 1) set_checksums_right(file);
    const domsnap::os::Fd memory(::memfd_create("fuzz", MFD_CLOEXEC));
    const std::string path = "/proc/self/fd/" + std::to_string(memory.get());
    domsnap::os::write_at(memory.get(), file.data(), file.size(), 0, path);
    try {
        verify_pages(ImageReader::open(path));
    } catch (const domsnap::Error&) {
        // Refused, as most inputs are.
    }
    return 0;
}

// The readers of hostile qcow2 files: of headers, and of VM state; the snapshot's name is "s". Run:
// fuzz_qcow2 corpus/qcow2
#include "image/read_info.h"
#include "image/vm_state.h"
#include "os/fd.h"
#include "os/file.h"

#include <cstdint>
#include <cstdlib>
#include <domsnap/error.h>
#include <string>
#include <sys/mman.h>

// A few bytes can map terabytes, all to the same cluster: right, and too long for here.
static constexpr uint64_t longest = 1 << 20;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace domsnap;
    const os::Fd disk(::memfd_create("fuzz", MFD_CLOEXEC)), state(::memfd_create("state", MFD_CLOEXEC));
    const std::string path = "/proc/self/fd/" + std::to_string(disk.get());
    os::write_at(disk.get(), data, size, 0, path);
    try {
        if (const auto info = image::read_info(path, "qcow2"))
            if (info->path.empty() || info->backing_path.size() > 4096 + 1023) std::abort();
    } catch (const Error&) {
        // Refused; its VM state may be readable all the same.
    }
    try {
        const uint64_t expected = image::vm_state_size(path, "s");
        if (expected > longest) return 0;
        image::write_vm_state(path, "s", state.get(), {});
        if (os::file_info("/proc/self/fd/" + std::to_string(state.get()))->size != expected) std::abort();
    } catch (const Error&) {
        // Refused, as most inputs are.
    }
    return 0;
}

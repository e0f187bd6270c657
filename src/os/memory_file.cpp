// None of it goes through os::effect: nothing outside of the process sees it before somebody is given the
// descriptor.
#include "os/memory_file.h"

#include "os/failure.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace domsnap::os {

namespace {

// Debian 12's headers do not have it: Linux 6.3, where vm.memfd_noexec=2 refuses every memfd without it.
constexpr unsigned no_exec_seal = 8;

Fd make(const std::string& name) {
    constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    Fd fd(::memfd_create(name.c_str(), flags | no_exec_seal));
    if (!fd && errno == EINVAL) fd.reset(::memfd_create(name.c_str(), flags));
    return fd;
}

} // namespace

MemoryFile::MemoryFile(const std::string& name, uint64_t size) : name_(name), fd_(make(name)) {
    if (!fd_ || ::fchmod(fd_.get(), 0600) != 0) fail("make in memory", name_);
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) fail("set the size of", name_);
}

void MemoryFile::write(const void* data, size_t size, uint64_t offset) const {
    for (auto from = static_cast<const char*>(data); size > 0;) {
        const ssize_t wrote =
            uninterrupted([&] { return ::pwrite(fd_.get(), from, size, static_cast<off_t>(offset)); });
        if (wrote <= 0) fail("write into memory", name_);
        from += wrote, offset += static_cast<uint64_t>(wrote), size -= static_cast<size_t>(wrote);
    }
}

void MemoryFile::allocate(uint64_t offset, uint64_t size) const {
    const auto take = [&] {
        return ::fallocate(fd_.get(), 0, static_cast<off_t>(offset), static_cast<off_t>(size));
    };
    if (uninterrupted(take) != 0) fail("take memory for", name_);
}

void MemoryFile::seal() const {
    if (::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        fail("seal", name_);
}

} // namespace domsnap::os

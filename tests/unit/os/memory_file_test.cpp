// A file without a name in the host's memory: what it takes, and that nobody changes it once it is sealed.
#include "os/memory_file.h"

#include "os/file.h"
#include "os/host_memory.h"
#include "scratch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace domsnap::os {

namespace {

constexpr uint64_t page = 4096, size = 16 * page;

/// As a QEMU that was given the descriptor opens it.
Fd open_again(const MemoryFile& file, int flags) {
    return Fd(::open(fmt::format("/proc/self/fd/{}", file.fd().get()).c_str(), flags | O_CLOEXEC));
}

uint64_t allocated(const MemoryFile& file) {
    return file_info(fmt::format("/proc/self/fd/{}", file.fd().get()))->allocated;
}

} // namespace

TEST(MemoryFile, TakesWhatItIsGivenAndNoMore) {
    const MemoryFile file("test", size);
    EXPECT_EQ(allocated(file), 0U);
    file.write("page", 4, 3 * page);
    EXPECT_EQ(allocated(file), page);
    file.allocate(8 * page, 4 * page);
    EXPECT_EQ(allocated(file), 5 * page);
    char read[4];
    read_at(file.fd().get(), read, 4, 3 * page, "the file");
    EXPECT_EQ(std::string(read, 4), "page");
    struct stat status {};
    ASSERT_EQ(::fstat(file.fd().get(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST(MemoryFile, NobodyChangesItOnceItIsSealed) {
    const MemoryFile file("test", size);
    file.write("page", 4, 0);
    file.seal();
    error_of(ErrorCode::io, [&] { file.write("other", 5, 0); });
    const Fd writable = open_again(file, O_RDWR);
    ASSERT_TRUE(writable) << "QEMU 7.2 opens it so";
    EXPECT_EQ(::pwrite(writable.get(), "x", 1, 0), -1);
    EXPECT_EQ(::fallocate(writable.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, page), -1);
    EXPECT_EQ(::ftruncate(writable.get(), 2 * size), -1);
    EXPECT_EQ(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, writable.get(), 0), MAP_FAILED);
}

TEST(MemoryFile, APrivateMappingOfASealedOneCanBeWrittenTo) {
    const MemoryFile file("test", size);
    file.write("page", 4, 0);
    file.seal();
    const Fd again = open_again(file, O_RDONLY);
    void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, again.get(), 0);
    ASSERT_NE(at, MAP_FAILED);
    static_cast<char*>(at)[0] = 'P';
    char first = 0;
    read_at(file.fd().get(), &first, 1, 0, "the file");
    EXPECT_EQ(first, 'p');
    ::munmap(at, size);
}

TEST(HostMemory, IsWhatTheKernelSays) {
    EXPECT_GT(host_memory("MemTotal"), host_memory("MemAvailable"));
    EXPECT_GT(host_memory("MemAvailable"), 0U);
    EXPECT_EQ(host_memory("Mem"), 0U);
}

} // namespace domsnap::os

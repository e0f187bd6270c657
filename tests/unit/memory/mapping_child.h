// A process that stands still and has memory mapped as a QEMU has its guest's RAM.
#pragma once

#include "images.h"
#include "os/foreign_memory.h"
#include "os/process.h"

#include <csignal>
#include <functional>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <vector>

namespace domsnap::memory {

class MappingChild {
  public:
    /// What the child does to the mapping and to the small blocks before it stands still.
    using Work = std::function<void(char* ram, const std::vector<char*>& small)>;

    /// size bytes of the file, privately, and small blocks of memory, each between guard pages; all are kept
    /// from children, as QEMU's are.
    MappingChild(int file, uint64_t size, const Work& work, const std::vector<uint64_t>& small_sizes = {})
        : size_(size) {
        ram_ = static_cast<char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0));
        for (const uint64_t small : small_sizes)
            small_.push_back(guarded(small));
        if (child_ = ::fork(); child_ == 0) {
            ::madvise(ram_, size, MADV_DONTFORK);
            for (size_t i = 0; i < small_.size(); ++i)
                ::madvise(small_[i], small_sizes[i], MADV_DONTFORK);
            work(ram_, small_);
            ::raise(SIGSTOP);
            ::_exit(0);
        }
        int status = 0;
        ::waitpid(child_, &status, WUNTRACED);
    }
    ~MappingChild() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        ::munmap(ram_, size_);
    }
    MappingChild(const MappingChild&) = delete;
    MappingChild& operator=(const MappingChild&) = delete;

    uint64_t ram() const { return reinterpret_cast<uint64_t>(ram_); }
    uint64_t small(size_t number) const { return reinterpret_cast<uint64_t>(small_[number]); }
    os::ProcessId process() const { return *os::process_id(child_); }
    os::ForeignMemory memory() const { return os::ForeignMemory(process()); }
    std::string content() const {
        std::string all(size_, '\0');
        memory().read(ram(), all.data(), all.size());
        return all;
    }

  private:
    static char* guarded(uint64_t size) {
        const auto all = static_cast<char*>(
            ::mmap(nullptr, size + 2 * page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        ::mprotect(all + page_size, size, PROT_READ | PROT_WRITE);
        return all + page_size;
    }

    uint64_t size_;
    char* ram_ = nullptr;
    std::vector<char*> small_;
    pid_t child_ = 0;
};

} // namespace domsnap::memory

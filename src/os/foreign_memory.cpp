#include "os/foreign_memory.h"

#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/own_pages.h"

#include <array>
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

namespace domsnap::os {

namespace {

constexpr uint64_t most_maps = 64 << 20;

std::string named(const ProcessId& process) { return fmt::format("process {}", process.pid); }

Fd open_page_map(const ProcessId& process) {
    return Fd(::open(fmt::format("/proc/{}/pagemap", process.pid).c_str(), O_RDONLY | O_CLOEXEC));
}

std::optional<uint64_t> hexadecimal(const std::string& digits) {
    return text::to_u64_any_base("0x" + digits);
}

/// "7f00-7f80 rw-p 00001000 08:01 131077   /path"
std::optional<ForeignMapping> mapping_in(const std::string& line) {
    std::vector<std::string> words;
    for (const auto& word : text::split(line, ' '))
        if (!word.empty()) words.push_back(word);
    if (words.size() < 5 || words[1].size() < 4) return std::nullopt;
    const auto range = text::split(words[0], '-'), device = text::split(words[3], ':');
    if (range.size() != 2 || device.size() != 2) return std::nullopt;
    const auto start = hexadecimal(range[0]), end = hexadecimal(range[1]), offset = hexadecimal(words[2]);
    const auto major = hexadecimal(device[0]), minor = hexadecimal(device[1]);
    const auto inode = text::to_u64(words[4]);
    if (!start || !end || *end <= *start || !offset || !major || !minor || !inode) return std::nullopt;
    return ForeignMapping{*start,
                          *end - *start,
                          *offset,
                          makedev(static_cast<unsigned>(*major), static_cast<unsigned>(*minor)),
                          *inode,
                          words[1][1] == 'w',
                          words[1][3] == 's'};
}

} // namespace

ForeignMemory::ForeignMemory(const ProcessId& process) : process_(process) {
    if (!is_alive(process)) throw Error(ErrorCode::not_found, named(process) + " is gone");
    if (open_page_map(process)) return;
    throw Error(ErrorCode::unsupported,
                fmt::format("this user may not look at the memory of {} (needs root, or "
                            "kernel.yama.ptrace_scope=0)",
                            named(process)));
}

void ForeignMemory::read(uint64_t address, void* into, size_t size) const {
    for (size_t done = 0; done < size;) {
        iovec ours{static_cast<char*>(into) + done, size - done};
        iovec its{reinterpret_cast<void*>(address + done), size - done};
        const ssize_t got = ::process_vm_readv(process_.pid, &ours, 1, &its, 1, 0);
        if (got <= 0) fail("read the memory of", named(process_));
        done += static_cast<size_t>(got);
    }
}

void ForeignMemory::write(uint64_t address, const void* from, size_t size) const {
    for (size_t done = 0; done < size;) {
        iovec ours{const_cast<char*>(static_cast<const char*>(from)) + done, size - done};
        iovec its{reinterpret_cast<void*>(address + done), size - done};
        const ssize_t put = effect({Effect::Kind::poke, named(process_)},
                                   [&] { return ::process_vm_writev(process_.pid, &ours, 1, &its, 1, 0); });
        if (put <= 0) fail("write to the memory of", named(process_));
        done += static_cast<size_t>(put);
    }
}

void ForeignMemory::touch(const AddressRange& range) const {
    constexpr uint64_t page = 4096, most = IOV_MAX;
    std::array<char, most> bytes;
    std::array<iovec, most> its;
    for (uint64_t at = range.start, end = range.start + range.size; at < end;) {
        size_t count = 0;
        for (; count < most && at < end; at += page)
            its[count++] = {reinterpret_cast<void*>(at), 1};
        const iovec ours{bytes.data(), count};
        if (::process_vm_readv(process_.pid, &ours, 1, its.data(), count, 0) != static_cast<ssize_t>(count))
            fail("read the memory of", named(process_));
    }
}

std::vector<ForeignMapping> ForeignMemory::mappings() const {
    std::vector<ForeignMapping> found;
    for (const auto& line :
         text::split(read_file(fmt::format("/proc/{}/maps", process_.pid), most_maps), '\n'))
        if (const auto mapping = mapping_in(line)) found.push_back(*mapping);
    return found;
}

std::optional<ForeignMapping> ForeignMemory::mapping_of(uint64_t address, uint64_t size) const {
    for (const auto& mapping : mappings())
        if (mapping.start <= address && address - mapping.start < mapping.size &&
            size <= mapping.size - (address - mapping.start))
            return mapping;
    return std::nullopt;
}

std::vector<AddressRange> ForeignMemory::own_pages(uint64_t start, uint64_t size) const {
    const auto map = open_page_map(process_);
    if (!map) fail("look at the pages of", named(process_));
    if (auto scanned = scan_own_pages(map, start, size)) return *std::move(scanned);
    return read_own_pages(map, start, size);
}

} // namespace domsnap::os

#include "disks.h"

#include "clock.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <set>
#include <sys/uio.h>
#include <unistd.h>

namespace guest {
namespace {

constexpr uint64_t counter_magic = 0x3154534554534d44U,
                   log_magic = 0x31474f4c54534d44U; // "DMSTEST1", "DMSTLOG1"

uint64_t number_in(const std::string& path) {
    char text[32] = {};
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const auto n = read(fd, text, sizeof text - 1);
    close(fd);
    return n > 0 ? strtoull(text, nullptr, 10) : 0;
}

bool is_data_disk(const std::string& name) {
    const bool kind = name.starts_with("vd") || name.starts_with("sd") || name.starts_with("hd");
    const std::string sys = "/sys/block/" + name;
    return kind && number_in(sys + "/ro") == 0 && number_in(sys + "/removable") == 0 &&
           number_in(sys + "/size") * 512 >= Disk::smallest;
}

std::string to_text(Counter c) { return hex(c.boot) + ":" + std::to_string(c.tick); }

} // namespace

void Disk::Free::operator()(char* p) const { free(p); }

Disk::Disk(const std::string& name)
    : buffer_(static_cast<char*>(aligned_alloc(block, block))),
      fd_(::open(("/dev/" + name).c_str(), O_RDWR | O_DIRECT | O_CLOEXEC)) {
    if (open()) found_ = read_counter();
}

Disk::~Disk() {
    if (fd_ >= 0) close(fd_);
}

bool Disk::transfer(bool writing, uint64_t offset, int flags) {
    const iovec v{buffer_.get(), block};
    const auto at = static_cast<off_t>(offset);
    const auto n = writing ? pwritev2(fd_, &v, 1, at, flags) : preadv2(fd_, &v, 1, at, flags);
    if (n == static_cast<ssize_t>(block)) return true;
    error_ = std::string(writing ? "write: " : "read: ") + (n < 0 ? strerror(errno) : "short");
    return false;
}

Counter Disk::read_counter() {
    if (!transfer(false, counter_offset) || words()[0] != counter_magic) return {};
    const Counter counter{words()[1], words()[2]};
    return words()[3] == mix(counter.boot ^ mix(counter.tick)) ? counter : Counter{};
}

void Disk::check_counter() {
    if (writes_ == 0) return;
    const Counter counter = read_counter();
    if (counter == written_) return;
    if (mismatches_++ == 0)
        first_mismatch_ = "RAM says " + to_text(written_) + ", disk says " + to_text(counter);
}

void Disk::fill_log_entry(uint64_t number, Counter counter) {
    uint64_t* w = words();
    w[0] = log_magic, w[1] = counter.boot, w[2] = number, w[3] = counter.tick;
    for (size_t i = 4; i < block / 8; i++)
        w[i] = mix(counter.boot ^ (number << 16) ^ i);
}

void Disk::tick(Counter next) {
    error_.clear();
    check_counter();
    const uint64_t number = writes_ + 1, slot = number % log_entries;
    fill_log_entry(number, next);
    if (!transfer(true, log_offset + slot * log_stride)) return;
    memset(buffer_.get(), 0, block);
    words()[0] = counter_magic, words()[1] = next.boot, words()[2] = next.tick;
    words()[3] = mix(next.boot ^ mix(next.tick));
    // RWF_DSYNC flushes the disk's cache, so it makes the log entry before it durable too.
    if (!transfer(true, counter_offset, RWF_DSYNC)) return;
    written_ = next, writes_ = number, log_ticks_[slot] = next.tick;
}

unsigned Disk::log_errors() {
    unsigned errors = 0;
    for (uint64_t n = writes_ >= log_entries ? writes_ - log_entries + 1 : 1; n <= writes_; n++) {
        fill_log_entry(n, {written_.boot, log_ticks_[n % log_entries]});
        const std::string wanted(buffer_.get(), block);
        const bool read = transfer(false, log_offset + n % log_entries * log_stride);
        errors += !read || wanted != std::string(buffer_.get(), block);
    }
    return errors;
}

bool Disk::read(uint64_t offset, size_t length, std::string& out) {
    out.clear();
    while (out.size() < length) {
        const uint64_t at = offset + out.size(), skip = at % block;
        if (!transfer(false, at - skip)) return false;
        out.append(buffer_.get() + skip, std::min<size_t>(block - skip, length - out.size()));
    }
    return true;
}

bool Disk::write(uint64_t offset, const std::string& bytes) {
    for (size_t done = 0; done < bytes.size();) {
        const uint64_t at = offset + done, skip = at % block;
        const size_t part = std::min<size_t>(block - skip, bytes.size() - done);
        if (part < block && !transfer(false, at - skip)) return false;
        memcpy(buffer_.get() + skip, bytes.data() + done, part);
        if (!transfer(true, at - skip, RWF_DSYNC)) return false;
        done += part;
    }
    return true;
}

bool Disk::scribble(uint64_t offset, uint64_t kib, uint64_t seed) {
    for (uint64_t at = offset; at < offset + kib * 1024; at += block) {
        for (size_t i = 0; i < block / 8; i++)
            words()[i] = mix(seed ^ mix(at + i));
        if (!transfer(true, at)) return false;
    }
    return fdatasync(fd_) == 0;
}

bool Disk::hash(uint64_t offset, uint64_t kib, uint64_t& out) {
    out = 0;
    for (uint64_t at = offset; at < offset + kib * 1024; at += block) {
        if (!transfer(false, at)) return false;
        for (size_t i = 0; i < block / 8; i++)
            out = (out ^ words()[i]) * 0x9fb21c651e98df25U + (out >> 29);
    }
    return true;
}

std::string Disk::json() {
    const Counter now = read_counter();
    std::string out = "{\"tick\":" + std::to_string(now.boot == written_.boot ? now.tick : 0) +
                      ",\"written\":" + std::to_string(written_.tick) +
                      ",\"writes\":" + std::to_string(writes_) + ",\"found\":" + quoted(to_text(found_)) +
                      ",\"counter\":" + quoted(to_text(now)) +
                      ",\"mismatches\":" + std::to_string(mismatches_);
    if (mismatches_ != 0) out += ",\"first_mismatch\":" + quoted(first_mismatch_);
    if (!error_.empty()) out += ",\"error\":" + quoted(error_);
    return out + "}";
}

void Disks::rescan() {
    DIR* dir = opendir("/sys/block");
    if (dir == nullptr) return;
    std::set<std::string> present;
    while (const dirent* entry = readdir(dir))
        if (is_data_disk(entry->d_name)) present.insert(entry->d_name);
    closedir(dir);
    std::erase_if(disks_, [&](const auto& disk) { return !present.contains(disk.first); });
    for (const auto& name : present) {
        if (disks_.contains(name)) continue;
        if (auto disk = std::make_unique<Disk>(name); disk->open()) disks_[name] = std::move(disk);
    }
}

void Disks::tick(Counter counter) {
    for (auto& [name, disk] : disks_)
        disk->tick(counter);
}

Disk* Disks::find(const std::string& name) {
    const auto found = disks_.find(name);
    return found == disks_.end() ? nullptr : found->second.get();
}

std::string Disks::json() {
    std::string out;
    for (auto& [name, disk] : disks_)
        out += (out.empty() ? "" : ",") + quoted(name) + ":" + disk->json();
    return "{" + out + "}";
}

} // namespace guest

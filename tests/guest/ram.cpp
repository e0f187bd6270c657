#include "ram.h"

#include "clock.h"

#include <algorithm>
#include <sys/mman.h>
#include <sys/sysinfo.h>

namespace guest {
namespace {

constexpr size_t page_size = 4096, words_per_page = page_size / 8;
constexpr size_t chunk = 128 * 1024; // words between two breaths: 1 MiB, some milliseconds under TCG

// Four lanes, because one chain of multiplications would be bound by their latency.
class Hash {
  public:
    void add(const uint64_t* words, size_t count) {
        for (size_t i = 0; i + 4 <= count; i += 4)
            for (size_t lane = 0; lane < 4; lane++)
                lanes_[lane] = (lanes_[lane] ^ words[i + lane]) * 0x9fb21c651e98df25U + (lanes_[lane] >> 29);
    }
    uint64_t value() const { return mix(lanes_[0] ^ mix(lanes_[1] ^ mix(lanes_[2] ^ mix(lanes_[3])))); }

  private:
    uint64_t lanes_[4] = {1, 2, 3, 4};
};

} // namespace

bool Ram::Area::resize(size_t bytes) {
    // Asked first, because mmap promises more than there is, and running out of memory would end init.
    struct sysinfo memory{};
    if (sysinfo(&memory) != 0 || bytes + 32 * mebi > memory.freeram * memory.mem_unit + size) return false;
    if (words != nullptr) munmap(words, size);
    words = nullptr, size = 0;
    void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return false;
    words = static_cast<uint64_t*>(p), size = bytes;
    return true;
}

bool Ram::fill(uint64_t seed, size_t mib, const Breathe& breathe) {
    if (!fill_.resize(mib * mebi)) return false;
    const size_t count = fill_.size / 8;
    for (size_t i = 0; i < count; i++) {
        fill_.words[i] = mix(seed * 0x100000001b3U + i);
        if (i % chunk == 0) breathe();
    }
    expected_ = hash(breathe);
    return true;
}

uint64_t Ram::hash(const Breathe& breathe) const {
    Hash hash;
    for (size_t i = 0, count = fill_.size / 8; i < count; i += chunk) {
        hash.add(fill_.words + i, std::min(chunk, count - i));
        breathe();
    }
    return hash.value();
}

bool Ram::dirty(unsigned mib_per_second, size_t area_mib) {
    if (mib_per_second != 0) {
        if (!dirty_.resize(area_mib * mebi)) return rate_ = 0, false;
        round_ = 1, cursor_ = 0;
    }
    rate_ = mib_per_second;
    dirtied_at_ = now_ms();
    return true;
}

uint64_t Ram::stamp(uint64_t round, size_t page) const {
    return round == 0 ? 0 : mix(round << 32 ^ page); // fresh memory is zero: round 0
}

void Ram::dirty_slice() {
    if (rate_ == 0) return;
    const int64_t now = now_ms(), elapsed = std::min<int64_t>(now - dirtied_at_, 100);
    dirtied_at_ = now;
    const size_t pages = dirty_.size / page_size;
    for (size_t due = static_cast<size_t>(elapsed) * rate_ * (mebi / page_size) / 1000; due > 0; due--) {
        uint64_t* page = dirty_.words + cursor_ * words_per_page;
        page[0] = page[words_per_page - 1] = stamp(round_, cursor_);
        if (++cursor_ == pages) cursor_ = 0, round_++;
    }
}

size_t Ram::dirty_errors() const {
    size_t errors = 0;
    for (size_t i = 0; i < dirty_.size / page_size; i++) {
        const uint64_t* page = dirty_.words + i * words_per_page;
        const uint64_t wanted = stamp(i < cursor_ ? round_ : round_ - 1, i);
        errors += page[0] != wanted || page[words_per_page - 1] != wanted;
    }
    return errors;
}

} // namespace guest

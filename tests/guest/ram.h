// The guest's RAM under test: an area filled from a seed, an area that is kept dirty, and notes that are
// nowhere else. Knows nothing of disks and ports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace guest {

/// Called often during long work, so that ticks go on.
using Breathe = std::function<void()>;

class Ram {
  public:
    /// Replaces the filled area. False if there is not so much memory.
    bool fill(uint64_t seed, size_t mib, const Breathe& breathe);
    /// Reads the whole filled area.
    uint64_t hash(const Breathe& breathe) const;
    /// What hash() gave when the area was filled.
    uint64_t expected_hash() const { return expected_; }
    size_t filled_mib() const { return fill_.size / mebi; }

    /// From now on dirty_slice() writes so many MiB a second, round after round over an area. 0 = stop.
    bool dirty(unsigned mib_per_second, size_t area_mib);
    bool is_dirtying() const { return rate_ != 0; }
    /// Does what is due; at most a few milliseconds of work.
    void dirty_slice();
    /// Pages of the dirty area that do not hold what was written to them last.
    size_t dirty_errors() const;

    std::vector<std::string> notes;

  private:
    static constexpr size_t mebi = 1024 * 1024;
    struct Area {
        uint64_t* words = nullptr;
        size_t size = 0;           ///< bytes
        bool resize(size_t bytes); ///< zeroed; false, and as it was, without so much memory
    };
    uint64_t stamp(uint64_t round, size_t page) const;

    Area fill_, dirty_;
    uint64_t expected_ = 0;
    unsigned rate_ = 0;
    uint64_t round_ = 1; ///< pages before cursor_ hold this round's stamp, the others the last round's
    size_t cursor_ = 0;  ///< page
    int64_t dirtied_at_ = 0;
};

} // namespace guest

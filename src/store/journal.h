// The journal of one operation: the whole plan first, then a line as each step begins and ends. Append-only,
// a checksum per entry, synced; its loader accepts a cut at any byte. Format: docs/formats/journal.md. The
// plan is opaque text.
#pragma once

#include "os/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domsnap::store {

enum class StepMark { begun, done, undoing, undone, failed };

struct JournalEntry {
    StepMark mark;
    uint32_t step;
    std::string note;
};

struct JournalContent {
    std::string plan;                  ///< what open() was given
    std::vector<JournalEntry> entries; ///< in order; a torn last entry is left out
};

class Journal {
  public:
    /// A new journal with its plan, durable before it returns. conflict if one is there already.
    static Journal open(const std::string& path, std::string_view plan);
    /// An existing one, to go on with (recovery).
    static Journal resume(const std::string& path);
    /// Appends and syncs.
    void mark(StepMark mark, uint32_t step, std::string_view note = {});
    /// The operation is over, either way: removes the file, durably.
    void close();
    const std::string& path() const { return path_; }

  private:
    Journal(os::Fd fd, std::string path, uint64_t end, uint64_t next)
        : fd_(std::move(fd)), path_(std::move(path)), end_(end), next_(next) {}
    os::Fd fd_;
    std::string path_;
    uint64_t end_;  ///< bytes that are whole entries; zeros follow, where there is room
    uint64_t next_; ///< the number of the next entry
};

/// How many steps, from the first, are known to be done: that one is begun says it of all before it.
uint32_t steps_done(const JournalContent& journal);

/// Nothing if there is no journal, or one whose plan was not complete (nothing had been done then: the caller
/// removes it). corrupt if a checksum in the middle is wrong; "written by a newer domsnap" as unsupported.
std::optional<JournalContent> load_journal(const std::string& path);

} // namespace domsnap::store

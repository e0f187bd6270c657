// The journal's bytes: entries to text and back, without files. What is torn and what is corrupt is decided
// here.
#pragma once

#include "store/journal.h"

#include <optional>
#include <string>
#include <string_view>

namespace domsnap::store {

inline constexpr std::string_view journal_header = "domsnap journal 2\n";

/// One entry, ready to be appended. number: 0 for the plan, then 1, 2, …
std::string journal_entry(std::string_view kind, std::string_view payload, uint64_t number);
std::string mark_payload(StepMark mark, uint32_t step, std::string_view note);

struct ParsedJournal {
    JournalContent content;
    uint64_t intact = 0;  ///< bytes of the file that are whole entries; what follows is torn
    uint64_t entries = 0; ///< how many there are, the plan included
    bool is_torn = false; ///< something follows that is no entry, and not only room for more
    bool is_old = false;  ///< of version 1
};

/// Nothing if the plan is not complete. Throws corrupt and unsupported (path is for messages).
std::optional<ParsedJournal> parse_journal(std::string_view file, const std::string& path);

} // namespace domsnap::store

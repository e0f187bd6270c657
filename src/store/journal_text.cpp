#include "store/journal_text.h"

#include "base/error.h"
#include "base/text.h"
#include "store/checksum.h"
#include "store/store.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::store {

static constexpr std::pair<StepMark, std::string_view> mark_words[] = {{StepMark::begun, "begun"},
                                                                       {StepMark::done, "done"},
                                                                       {StepMark::undoing, "undoing"},
                                                                       {StepMark::undone, "undone"},
                                                                       {StepMark::failed, "failed"}};

std::string mark_payload(StepMark mark, uint32_t step, std::string_view note) {
    for (const auto& [value, word] : mark_words)
        if (value == mark) return fmt::format("{} {} {}", word, step, note);
    return {};
}

static std::string entry_checksum(std::string_view kind, std::string_view payload, uint64_t number) {
    return checksum_text(fmt::format("{} {}\n{}", kind, payload.size(), payload), number);
}

std::string journal_entry(std::string_view kind, std::string_view payload, uint64_t number) {
    return fmt::format("{} {} {}\n{}\n", kind, payload.size(), entry_checksum(kind, payload, number),
                       payload);
}

namespace {
struct RawEntry {
    std::string_view kind, payload;
    size_t size = 0; ///< of the whole entry
};
} // namespace

/// The entry at the start of text, if it is whole and is the one with that number.
static std::optional<RawEntry> intact_entry(std::string_view text, uint64_t number) {
    const auto line_end = text.find('\n');
    if (line_end == std::string_view::npos || line_end > 64) return std::nullopt;
    const auto head = text::split(text.substr(0, line_end), ' ');
    if (head.size() != 3 || (head[0] != "plan" && head[0] != "mark")) return std::nullopt;
    const auto length = text::to_u64(head[1]);
    const auto rest = text.substr(line_end + 1);
    if (!length || *length > max_document || rest.size() < *length + 1 || rest[*length] != '\n')
        return std::nullopt;
    const auto payload = rest.substr(0, *length);
    if (head[2] != entry_checksum(head[0], payload, number)) return std::nullopt;
    return RawEntry{text.substr(0, head[0].size()), payload, line_end + 1 + payload.size() + 1};
}

/// Whether a later entry than the damaged one at the start of text can still be read: then the damage is not
/// a torn write, because each entry was synced before the next one was begun.
static bool intact_entry_follows(std::string_view text, uint64_t damaged_number) {
    // Any place will do, not only the start of a line: the newline before it may be what was damaged.
    for (auto at = text.find("mark ", 1); at != std::string_view::npos; at = text.find("mark ", at + 1)) {
        // Few can be lost between the damage and the entry: a number is tried for each that could have stood
        // there.
        const uint64_t most = std::min<uint64_t>(at / 20 + 1, 64);
        for (uint64_t later = 1; later <= most; ++later)
            if (intact_entry(text.substr(at), damaged_number + later)) return true;
    }
    return false;
}

static std::optional<JournalEntry> parse_mark(std::string_view payload) {
    const auto first = payload.find(' '), second = payload.find(' ', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
    const auto step = text::to_u64(payload.substr(first + 1, second - first - 1));
    if (!step || *step > UINT32_MAX) return std::nullopt;
    for (const auto& [mark, word] : mark_words)
        if (word == payload.substr(0, first))
            return JournalEntry{mark, static_cast<uint32_t>(*step), std::string(payload.substr(second + 1))};
    return std::nullopt;
}

[[noreturn]] static void refuse(const std::string& path, std::string_view why) {
    throw Error(ErrorCode::corrupt, fmt::format("{}: {}", path, why),
                "the disk may be failing; look at the domain's images before you remove the journal by hand");
}

/// The same entries, each step's end marked by itself.
static constexpr std::string_view old_journal_header = "domsnap journal 1\n";

/// False if the file ends within its header.
static bool check_header(std::string_view file, const std::string& path) {
    for (const auto header : {journal_header, old_journal_header})
        if (file.size() < header.size() && header.starts_with(file)) return false;
    if (file.starts_with(journal_header) || file.starts_with(old_journal_header)) return true;
    constexpr std::string_view magic = "domsnap journal ";
    const auto number = file.starts_with(magic)
                            ? text::to_u64(file.substr(magic.size(), file.find('\n') - magic.size()))
                            : std::nullopt;
    if (number && *number > 2)
        throw Error(ErrorCode::unsupported, fmt::format("{}: written by a newer domsnap", path),
                    "let the newer domsnap recover this domain");
    refuse(path, "not a domsnap journal");
}

static void add_entry(ParsedJournal& journal, const RawEntry& entry, const std::string& path) {
    if ((entry.kind == "plan") != (journal.entries == 0)) refuse(path, "the plan is not the first entry");
    if (entry.kind == "plan") {
        journal.content.plan = entry.payload;
    } else {
        auto mark = parse_mark(entry.payload);
        if (!mark) refuse(path, fmt::format("entry {} cannot be understood", journal.entries));
        journal.content.entries.push_back(*std::move(mark));
    }
    journal.intact += entry.size;
    ++journal.entries;
}

std::optional<ParsedJournal> parse_journal(std::string_view file, const std::string& path) {
    if (!check_header(file, path)) return std::nullopt;
    ParsedJournal journal;
    journal.intact = journal_header.size();
    while (const auto entry = intact_entry(file.substr(journal.intact), journal.entries))
        add_entry(journal, *entry, path);
    const auto rest = file.substr(journal.intact);
    if (intact_entry_follows(rest, journal.entries))
        refuse(path, fmt::format("entry {} is damaged (at byte {})", journal.entries, journal.intact));
    if (journal.entries == 0) return std::nullopt;
    journal.is_torn = rest.find_first_not_of('\0') != std::string_view::npos;
    journal.is_old = file.starts_with(old_journal_header);
    return journal;
}

} // namespace domsnap::store

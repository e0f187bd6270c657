#include "store/journal.h"

#include "base/error.h"
#include "os/file.h"
#include "store/journal_text.h"
#include "store/store.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::store {

static constexpr uint64_t max_journal = 4 * max_document;
static constexpr size_t max_note = 16 << 10;
/// Bytes of zeros ahead of the marks: a mark that is written over them is made durable without the file
/// system's own journal, which is half of what a sync costs (docs/formats/journal.md).
static constexpr size_t room = 4096;

static std::string with_room(std::string entries) {
    entries.resize((entries.size() / room + 2) * room);
    return entries;
}

Journal Journal::open(const std::string& path, std::string_view plan) {
    if (plan.size() > max_document)
        throw Error(ErrorCode::invalid_request, fmt::format("{}: the plan is too long", path));
    const std::string start = std::string(journal_header) + journal_entry("plan", plan, 0);
    const std::string bytes = with_room(start);
    auto fd = os::create_exclusive(path);
    try {
        os::write_at(fd.get(), bytes.data(), bytes.size(), 0, path);
        os::sync_file(fd, path);
        os::sync_folder(path.substr(0, path.rfind('/')));
    } catch (...) {
        os::remove_file_durably(path);
        throw;
    }
    return Journal(std::move(fd), path, start.size(), 1);
}

static std::optional<ParsedJournal> parse_file(const std::string& path, std::string& content) {
    auto found = os::read_own_file(path, max_journal);
    if (!found) return std::nullopt;
    content = *std::move(found);
    return parse_journal(content, path);
}

Journal Journal::resume(const std::string& path) {
    std::string content;
    const auto parsed = parse_file(path, content);
    if (!parsed) throw Error(ErrorCode::not_found, fmt::format("{}: no journal to go on with", path));
    if (parsed->is_torn || parsed->is_old)
        os::write_file_durably(
            path, with_room(std::string(journal_header) +
                            content.substr(journal_header.size(), parsed->intact - journal_header.size())));
    return Journal(os::open_read_write(path), path, parsed->intact, parsed->entries);
}

void Journal::mark(StepMark mark, uint32_t step, std::string_view note) {
    const auto entry = journal_entry("mark", mark_payload(mark, step, note.substr(0, max_note)), next_);
    os::write_at(fd_.get(), entry.data(), entry.size(), end_, path_);
    os::sync_data(fd_, path_);
    end_ += entry.size();
    ++next_;
}

uint32_t steps_done(const JournalContent& journal) {
    uint32_t count = 0;
    for (const auto& entry : journal.entries) {
        if (entry.mark == StepMark::begun) count = std::max(count, entry.step);
        if (entry.mark == StepMark::done) count = std::max(count, entry.step + 1);
    }
    return count;
}

void Journal::close() {
    os::remove_file_durably(path_);
    fd_.reset();
}

std::optional<JournalContent> load_journal(const std::string& path) {
    std::string content;
    auto parsed = parse_file(path, content);
    if (!parsed) return std::nullopt;
    return std::move(parsed->content);
}

} // namespace domsnap::store

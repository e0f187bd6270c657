#include "memory/image_damage.h"

#include "base/text.h"
#include "memory/image_format.h"
#include "os/file.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace domsnap::memory {

static constexpr const char* useless = "remove it, or bring it back from a backup";

static Error refusal(const ImageFile& file, const std::string& words) {
    return {ErrorCode::corrupt, fmt::format("memory image '{}' {}", text::printable(file.path), words),
            useless};
}

Error ImageFile::altered(const std::string& what) const { return refusal(*this, "was altered: " + what); }

Error ImageFile::newer() const {
    return {ErrorCode::unsupported,
            fmt::format("memory image '{}' was written by a newer domsnap", text::printable(path)),
            "use that version to read it"};
}

namespace {
struct FoundMark {
    Finding finding;
    Mark mark;
};
} // namespace

// The mark is at a page's start, and says where it is: one inside a guest's RAM is of another place.
static std::optional<FoundMark> mark_in(const std::string& bytes, uint64_t offset) {
    for (size_t at = bytes.size() / page_size * page_size + page_size; at > 0;) {
        at -= page_size;
        if (at + mark_size > bytes.size()) continue;
        FoundMark found{};
        found.finding = decode(std::string_view(bytes).substr(at, mark_size), found.mark);
        if (found.finding == Finding::newer) return found;
        if (found.finding == Finding::good && found.mark.offset == offset + at) return found;
    }
    return std::nullopt;
}

// From the end backwards, as far as metadata can reach.
static std::optional<FoundMark> find_mark(const ImageFile& file) {
    constexpr uint64_t window = uint64_t{1} << 20;
    const uint64_t reach = file.size / 256 + (uint64_t{512} << 20);
    const uint64_t lowest = file.size > reach ? (file.size - reach) / window * window : 0;
    std::string bytes;
    for (uint64_t end = file.size, begin = 0; end > lowest; end = begin) {
        begin = (end - 1) / window * window;
        bytes.resize(end - begin);
        os::read_at(file.fd.get(), bytes.data(), bytes.size(), begin, file.path);
        if (auto found = mark_in(bytes, begin)) return found;
    }
    return std::nullopt;
}

Error ImageFile::without_trailer() const {
    if (size == 0) return refusal(*this, "is torn: the capture did not finish (the file is empty)");
    const auto found = find_mark(*this);
    if (!found)
        return refusal(*this, "is not a memory image, or only the beginning of one: it has no trailer");
    if (found->finding == Finding::newer) return newer();
    const uint64_t whole = found->mark.final_size;
    if (whole == 0 || (size < whole && size >= whole - std::min(whole, trailer_size)))
        return refusal(*this, "is torn: the capture did not finish");
    if (size < whole)
        return refusal(*this, fmt::format("is truncated: it has {} of its {} bytes", size, whole));
    if (size > whole) return altered(fmt::format("{} bytes were added to its {}", size - whole, whole));
    return altered("its trailer is overwritten");
}

} // namespace domsnap::memory

#include "store/outlines.h"

#include "base/error.h"
#include "os/file.h"

#include <cstring>
#include <endian.h>
#include <xxhash.h>

namespace domsnap::store {

namespace {

using model::Location;
using model::SnapshotOutline;
using model::SnapshotState;

constexpr std::string_view magic = "domsnapO";
constexpr uint32_t version = 1;
constexpr size_t header_size = 16, checksum_size = 8, name_size = 36, stamp_size = 32;
constexpr uint64_t largest = 256 << 20; ///< a million records; more are read one by one
constexpr uint64_t settled = 2'000'000'000;

constexpr SnapshotState states[] = {
    SnapshotState::no_state, SnapshotState::running,     SnapshotState::blocked,
    SnapshotState::paused,   SnapshotState::shutdown,    SnapshotState::shutoff,
    SnapshotState::crashed,  SnapshotState::pmsuspended, SnapshotState::disk_snapshot};
constexpr Location memories[] = {Location::omitted, Location::no, Location::internal, Location::external};

template <class Value, size_t N>
char number_in(const Value (&values)[N], Value value) {
    for (size_t i = 0; i < N; ++i)
        if (values[i] == value) return static_cast<char>(i);
    return 0;
}

void put(std::string& to, uint64_t number) {
    const uint64_t little = htole64(number);
    to.append(reinterpret_cast<const char*>(&little), sizeof little);
}
void put32(std::string& to, size_t number) {
    const uint32_t little = htole32(static_cast<uint32_t>(number));
    to.append(reinterpret_cast<const char*>(&little), sizeof little);
}
void put(std::string& to, const std::string& text) {
    put32(to, text.size());
    to += text;
}

std::string stamp_text(const os::FileStamp& stamp) {
    std::string text;
    for (const uint64_t number : {stamp.inode, stamp.size, stamp.modified, stamp.changed})
        put(text, number);
    return text;
}

/// Takes from the front; once there is too little, all that is taken is empty and ok() says so.
class Reader {
  public:
    explicit Reader(std::string_view rest) : rest_(rest) {}
    bool ok() const { return ok_; }
    bool at_end() const { return rest_.empty(); }

    std::string_view bytes(size_t size) {
        if (size > rest_.size()) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const auto taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    uint64_t u64() { return le64toh(number<uint64_t>()); }
    uint32_t u32() { return le32toh(number<uint32_t>()); }
    std::string text() { return std::string(bytes(u32())); }
    template <class Value, size_t N>
    Value one_of(const Value (&values)[N]) {
        const auto byte = static_cast<unsigned char>(number<char>());
        if (byte >= N) ok_ = false;
        return byte < N ? values[byte] : values[0];
    }
    bool flag() { return number<char>() != 0; }

  private:
    template <class Number>
    Number number() {
        Number value{};
        if (const auto raw = bytes(sizeof value); !raw.empty()) std::memcpy(&value, raw.data(), sizeof value);
        return value;
    }
    std::string_view rest_;
    bool ok_ = true;
};

std::optional<SnapshotOutline> outline_in(std::string_view entry) {
    Reader reader(entry);
    SnapshotOutline outline;
    outline.creation_time = static_cast<int64_t>(reader.u64());
    outline.state = reader.one_of(states);
    outline.memory = reader.one_of(memories);
    outline.external = reader.flag();
    outline.name = reader.text();
    outline.parent = reader.text();
    outline.description = reader.text();
    if (!reader.ok() || !reader.at_end()) return std::nullopt;
    return outline;
}

std::string path_in(const DomainFolder& folder) { return folder.path() + "/outlines"; }

uint64_t checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

bool is_whole(std::string_view content) {
    if (content.size() < header_size + checksum_size || !content.starts_with(magic)) return false;
    const auto before = content.substr(0, content.size() - checksum_size);
    Reader end(content.substr(before.size())), head(content.substr(magic.size()));
    return head.u32() == version && end.u64() == checksum(before);
}

} // namespace

Outlines::Outlines(const DomainFolder& folder) {
    try {
        content_ = os::read_own_file(path_in(folder), largest).value_or("");
    } catch (const Error&) { // too large, or no file at all: as good as none
    }
    if (is_whole(content_)) parse();
}

void Outlines::parse() {
    Reader reader(std::string_view(content_).substr(magic.size() + 4));
    const uint32_t count = reader.u32();
    Reader entries(
        std::string_view(content_).substr(header_size, content_.size() - header_size - checksum_size));
    entries_.reserve(std::min<size_t>(count, content_.size() / name_size));
    for (uint32_t i = 0; i < count && entries.ok(); ++i) {
        const auto entry = entries.bytes(entries.u32());
        if (entry.size() > name_size + stamp_size)
            entries_.emplace(entry.substr(0, name_size), entry.substr(name_size));
    }
    if (!entries.ok() || !entries.at_end()) entries_.clear();
}

std::optional<SnapshotOutline> Outlines::find(const std::string& name, const os::FileStamp& stamp) const {
    const auto found = entries_.find(name);
    if (found == entries_.end() || !found->second.starts_with(stamp_text(stamp))) return std::nullopt;
    return outline_in(found->second.substr(stamp_size));
}

void NewOutlines::add(const std::string& name, const os::FileStamp& stamp, const SnapshotOutline& outline,
                      uint64_t now) {
    if (name.size() != name_size || std::max(stamp.modified, stamp.changed) + settled > now) return;
    std::string entry = name + stamp_text(stamp);
    put(entry, static_cast<uint64_t>(outline.creation_time));
    entry += number_in(states, outline.state);
    entry += number_in(memories, outline.memory);
    entry += outline.external ? '\1' : '\0';
    for (const auto* text : {&outline.name, &outline.parent, &outline.description})
        put(entry, *text);
    put(entries_, entry);
    ++count_;
}

std::string NewOutlines::text() const {
    std::string text(magic);
    put32(text, version);
    put32(text, count_);
    text += entries_;
    put(text, checksum(text));
    return text;
}

void NewOutlines::write(const DomainFolder& folder) const {
    try {
        os::write_file(path_in(folder), text());
    } catch (const Error&) { // full, read-only, somebody else's
    }
}

} // namespace domsnap::store

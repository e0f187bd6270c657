#include "image/header.h"

#include "base/text.h"
#include "image/tool.h"
#include "os/file.h"

#include <algorithm>
#include <cstring>
#include <endian.h>
#include <fmt/format.h>

namespace domsnap::image {

namespace {

constexpr uint32_t magic = 0x514649fb; // "QFI\xfb"
constexpr uint64_t version_2_size = 72, version_3_size = 104, longest_name = 1023,
                   longest_format = 15; // QEMU's own bounds
constexpr uint32_t backing_format_extension = 0xe2792aca, data_file_extension = 0x44415441;
constexpr uint64_t max_refcount_table = 8 << 20, max_l1_table = 32 << 20, max_file_offset = uint64_t{1} << 56;
constexpr unsigned most_extensions = 64; // QEMU writes five kinds

Error damaged(const std::string& path, const std::string& what) {
    return Error(ErrorCode::corrupt,
                 fmt::format("the qcow2 image '{}' is damaged: {}", text::printable(path), what),
                 "qemu-img check says more about it");
}

/// Nearly always all of it: a header has some hundred bytes, and a chain of a hundred images has a hundred headers.
constexpr uint64_t read_at_once = 2048;

struct Reader {
    const os::Fd& fd;
    const std::string& path;
    std::string start{};

    void read_start() {
        start.resize(std::min(os::end_of(fd, path), read_at_once));
        os::read_at(fd.get(), start.data(), start.size(), 0, path);
    }
    void read(void* into, uint64_t size, uint64_t offset) const {
        if (size <= start.size() && offset <= start.size() - size)
            std::memcpy(into, start.data() + offset, size);
        else
            os::read_at(fd.get(), into, size, offset, path);
    }
    uint32_t u32(uint64_t offset) const {
        uint32_t value = 0;
        read(&value, sizeof value, offset);
        return be32toh(value);
    }
    uint64_t u64(uint64_t offset) const {
        uint64_t value = 0;
        read(&value, sizeof value, offset);
        return be64toh(value);
    }
    std::string name(uint64_t offset, uint64_t size, const char* what,
                     uint64_t longest = longest_name) const {
        if (size > longest) throw damaged(path, fmt::format("{} of {} bytes", what, size));
        std::string text(size, '\0');
        if (size) read(text.data(), size, offset);
        return text.c_str(); // to QEMU it ends at a NUL
    }
};

void read_extensions(const Reader& reader, Header& header, uint64_t at, uint64_t end) {
    for (unsigned count = 0; count < most_extensions && at + 8 <= end; ++count) {
        const uint32_t type = reader.u32(at), size = reader.u32(at + 4);
        if (type == 0) return;
        if (size > end - at - 8) throw damaged(reader.path, "a header extension is longer than the header");
        if (type == backing_format_extension)
            header.backing_format = reader.name(at + 8, size, "the backing file's format", longest_format);
        if (type == data_file_extension) header.data_file = reader.name(at + 8, size, "a data file's name");
        at += 8 + (uint64_t{size} + 7) / 8 * 8;
    }
}

void read_names(const Reader& reader, Header& header) {
    const uint64_t backing_offset = reader.u64(8), backing_size = reader.u32(16);
    if (backing_offset != 0) {
        if (backing_offset >= header.cluster_size() || backing_size > header.cluster_size() - backing_offset)
            throw damaged(reader.path, "its backing file's name lies outside of its header");
        header.backing = reader.name(backing_offset, backing_size, "a backing file's name");
    }
    const bool fits = header.version == 2 || header.length >= version_3_size;
    if (!fits || header.length > header.cluster_size())
        throw damaged(reader.path, fmt::format("a header of {} bytes", header.length));
    read_extensions(reader, header, header.length, backing_offset ? backing_offset : header.cluster_size());
    if (header.backing.empty()) header.backing_format.clear();
}

void check_table(const Header& header, uint64_t offset, const char* table, const std::string& path) {
    if (offset % header.cluster_size() != 0 || offset >= max_file_offset)
        throw damaged(path, fmt::format("its {} begins at byte {}", table, offset));
}

/// QEMU's own rule: a ':' before the first '/' makes the text before it a protocol.
bool names_a_protocol(const std::string& name) {
    const auto colon = name.find(':');
    return colon != std::string::npos && colon < name.find('/');
}

} // namespace

std::optional<Header> header(const os::Fd& fd, const std::string& path) {
    Reader reader{fd, path};
    reader.read_start();
    if (reader.u32(0) != magic) return std::nullopt;
    Header header;
    header.version = reader.u32(4);
    if (header.version != 2 && header.version != 3)
        throw Error(ErrorCode::unsupported,
                    fmt::format("'{}' is a qcow2 of version {}", text::printable(path), header.version));
    header.cluster_bits = reader.u32(20);
    if (header.cluster_bits < 9 || header.cluster_bits > 21)
        throw damaged(path, fmt::format("clusters of 2^{} bytes", header.cluster_bits));
    header.virtual_size = reader.u64(24);
    header.encryption = reader.u32(32);
    header.l1_entries = reader.u32(36);
    header.l1_offset = reader.u64(40);
    header.refcount_offset = reader.u64(48);
    header.refcount_clusters = reader.u32(56);
    // Both of one moment, as they were read at once: a QEMU that has the image open changes them in one write
    // (qcow2_write_snapshots, 7.2 to 10.0).
    header.snapshot_count = reader.u32(60);
    header.snapshots_offset = reader.u64(64);
    if (header.version >= 3) {
        header.incompatible = reader.u64(version_2_size);
        header.refcount_order = reader.u32(96);
        header.length = reader.u32(100);
    }
    read_names(reader, header);
    return header;
}

std::optional<Header> header(const std::string& path) {
    const std::string image = regular_or_block(path);
    const auto info = os::file_info(image);
    if (info && info->is_regular && info->size < version_2_size) return std::nullopt;
    return header(os::open_read(image), image);
}

void check_tables(const Header& header, const std::string& path) {
    if (header.refcount_order > 6)
        throw damaged(path, fmt::format("reference counts of 2^{} bits", header.refcount_order));
    if (header.refcount_clusters == 0 || header.refcount_clusters > max_refcount_table >> header.cluster_bits)
        throw damaged(path, fmt::format("a reference count table of {} clusters", header.refcount_clusters));
    check_table(header, header.refcount_offset, "reference count table", path);
    if (header.l1_entries > max_l1_table / 8)
        throw damaged(path, fmt::format("an L1 table of {} entries", header.l1_entries));
    check_table(header, header.l1_offset, "L1 table", path);
    const unsigned entry_bits = header.incompatible & extended_l2 ? 4 : 3;
    const uint64_t mapped = uint64_t{1} << (2 * header.cluster_bits - entry_bits); // by one L2 table
    if (header.virtual_size / mapped + (header.virtual_size % mapped != 0) > header.l1_entries)
        throw damaged(path, "its L1 table is too small for the disk");
}

std::string named_file(const std::string& name, const std::string& image, const std::string& role) {
    if (name.empty()) return {};
    if (names_a_protocol(name))
        throw Error(ErrorCode::unsupported,
                    fmt::format("the header of '{}' names the {} '{}', which is not a file's path",
                                text::printable(image), role, text::printable(name)),
                    "domsnap works with images whose chain is made of files and block devices only");
    return text::starts_with_slash(name) ? name : os::absolute_path(text::folder_of(image) + "/" + name);
}

} // namespace domsnap::image

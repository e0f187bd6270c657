#include "image/header.h"

#include "base/text.h"
#include "image/tool.h"
#include "os/file.h"

#include <cstring>
#include <endian.h>
#include <fmt/format.h>

namespace domsnap::image {

namespace {

constexpr uint32_t magic = 0x514649fb;                                             // "QFI\xfb"
constexpr uint64_t version_2_size = 72, version_3_size = 104, longest_name = 1023; // QEMU's own bound
constexpr uint32_t backing_format_extension = 0xe2792aca, data_file_extension = 0x44415441;
constexpr unsigned most_extensions = 64; // QEMU writes five kinds

Error damaged(const std::string& path, const std::string& what) {
    return Error(ErrorCode::corrupt,
                 fmt::format("the qcow2 image '{}' is damaged: {}", text::printable(path), what),
                 "qemu-img check says more about it");
}

struct Reader {
    const os::Fd& fd;
    const std::string& path;

    uint32_t u32(uint64_t offset) const {
        uint32_t value = 0;
        os::read_at(fd.get(), &value, sizeof value, offset, path);
        return be32toh(value);
    }
    uint64_t u64(uint64_t offset) const {
        uint64_t value = 0;
        os::read_at(fd.get(), &value, sizeof value, offset, path);
        return be64toh(value);
    }
    std::string name(uint64_t offset, uint64_t size, const char* what) const {
        if (size > longest_name) throw damaged(path, fmt::format("{} of {} bytes", what, size));
        std::string text(size, '\0');
        os::read_at(fd.get(), text.data(), size, offset, path);
        return text;
    }
};

void read_extensions(const Reader& reader, Header& header, uint64_t at, uint64_t end) {
    for (unsigned count = 0; count < most_extensions && at + 8 <= end; ++count) {
        const uint32_t type = reader.u32(at), size = reader.u32(at + 4);
        if (type == 0) return;
        if (size > end - at - 8) throw damaged(reader.path, "a header extension is longer than the header");
        if (type == backing_format_extension)
            header.backing_format = reader.name(at + 8, size, "the backing file's format");
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
    const uint64_t length = header.version == 2 ? version_2_size : reader.u32(100);
    if (length < version_2_size || length > header.cluster_size())
        throw damaged(reader.path, fmt::format("a header of {} bytes", length));
    read_extensions(reader, header, length, backing_offset ? backing_offset : header.cluster_size());
}

/// QEMU's own rule: a ':' before the first '/' makes the text before it a protocol.
bool names_a_protocol(const std::string& name) {
    const auto colon = name.find(':');
    return colon != std::string::npos && colon < name.find('/');
}

} // namespace

std::optional<Header> header(const os::Fd& fd, const std::string& path) {
    const Reader reader{fd, path};
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
    header.snapshot_count = reader.u32(60);
    header.snapshots_offset = reader.u64(64);
    if (header.version >= 3) header.incompatible = reader.u64(version_2_size);
    read_names(reader, header);
    return header;
}

std::optional<Header> header(const std::string& path) {
    const std::string image = regular_or_block(path);
    const auto info = os::file_info(image);
    if (info && info->is_regular && info->size < version_2_size) return std::nullopt;
    return header(os::open_read(image), image);
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

#include "engine/ledger.h"

#include "base/error.h"
#include "base/text.h"
#include "image/header.h"
#include "memory/image.h"
#include "memory/save_file.h"
#include "os/file.h"
#include "os/identity.h"
#include "xml/document.h"

#include <fmt/format.h>

namespace domsnap::engine {

using model::FileRole;
using model::KnownFile;

namespace {

KnownFile parse_entry(const std::string& xml, const std::string& source) {
    try {
        return model::known_file_from(xml::parse_root(xml, "file", source));
    } catch (const Error& error) {
        throw Error(ErrorCode::corrupt, fmt::format("{}: {}", source, error.what()));
    }
}

model::KnownHeader known_header(const std::string& path) {
    const auto header = image::header(path);
    if (!header)
        throw Error(ErrorCode::corrupt, fmt::format("{} is not a qcow2 image", text::printable(path)));
    return {.version = header->version,
            .cluster_size = header->cluster_size(),
            .virtual_size = header->virtual_size,
            // Dirty and corrupt come and go with QEMU's work.
            .features = header->incompatible & ~uint64_t{image::dirty | image::marked_corrupt},
            .backing = image::named_file(header->backing, path, "backing file"),
            .backing_format = header->backing_format,
            .data_file = header->data_file};
}

void look_at_image(KnownFile& file) {
    if (memory::SaveFile::is_one(file.path)) {
        file.content.hash = memory::save_file_hash(file.path);
        return;
    }
    const auto link = memory::image_link(file.path);
    file.content.hash = fmt::format("{:016x}", link.hash);
    if (link.parent) file.content.parent = memory::parent_file(file.path, *link.parent);
}

} // namespace

KnownFile look_again(KnownFile file) {
    const auto now = os::file_identity(file.path);
    if (!now) throw Error(ErrorCode::not_found, fmt::format("there is no file {}", file.path));
    file.place = {now->device, now->inode, now->born};
    file.content = {now->size, now->modified, {}, {}};
    if (file.role == FileRole::memory && file.frozen) look_at_image(file);
    if (file.header) file.header = known_header(file.path);
    return file;
}

std::optional<KnownFile> Ledger::find(const std::string& path) const {
    const auto xml = folder_.file_entry(path);
    if (!xml) return std::nullopt;
    return parse_entry(*xml, path);
}

KnownFile Ledger::read(const store::DomainFolder& folder, const std::string& entry) {
    return parse_entry(folder.read_file_entry(entry), entry);
}

std::vector<KnownFile> Ledger::all(const Control& control) const {
    std::vector<KnownFile> files;
    for (const auto& entry : folder_.file_entries()) {
        try {
            files.push_back(read(folder_, entry));
        } catch (const Error& error) {
            if (error.code() == ErrorCode::unsupported) throw; // of a newer domsnap
            control.warn(fmt::format("{}; the file that it is about is unknown now", error.what()));
        }
    }
    return files;
}

/// As it is now.
void Ledger::put(KnownFile file) {
    // fdatasync, which QEMU calls, leaves the time of the last write in memory: after a power cut the file
    // would look altered.
    if (file.frozen) os::sync_file(os::open_read(file.path), file.path);
    file = look_again(std::move(file));
    folder_.put_file_entry(file.path, model::to_text(model::to_element(file)) + "\n");
}

void Ledger::made(const std::string& path, FileRole role) {
    KnownFile file{
        .path = path, .role = role, .made = true, .frozen = false, .place = {}, .content = {}, .header = {}};
    // A copy may be of anything; what it is is noted when a snapshot freezes it.
    if (role == FileRole::overlay || role == FileRole::holder) file.header.emplace();
    put(std::move(file));
}

void Ledger::frozen(const std::string& path, const std::string& format, bool anew) {
    auto file = find(path);
    if (file && file->frozen && !anew) return;
    if (!file) {
        file.emplace();
        file->path = path;
        if (format.empty()) file->role = FileRole::memory;
    }
    if (format == "qcow2" && !file->header) file->header.emplace();
    file->frozen = true;
    put(*std::move(file));
}

void Ledger::renew(const std::string& path) {
    if (auto file = find(path)) put(*std::move(file));
}

void Ledger::merged(const std::string& child, const std::string& base) {
    const auto merged = find(child);
    if (auto below = find(base)) {
        below->frozen = merged && merged->frozen;
        put(*std::move(below));
    }
    for (const auto& file : all({}))
        if (file.header && file.header->backing == child && os::exists(file.path) &&
            known_header(file.path).backing == base)
            renew(file.path);
}

void Ledger::forget(const std::string& path) { folder_.remove_file_entry(path); }

} // namespace domsnap::engine

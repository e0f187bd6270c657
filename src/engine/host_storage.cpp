// Storage pools and their volumes: folders and files, looked at for libvirt's clients.
#include "base/error.h"
#include "base/text.h"
#include "engine/files_in_use.h"
#include "image/header.h"
#include "image/qemu_img.h"
#include "os/file.h"
#include "os/file_system.h"
#include "os/guard.h"

#include <algorithm>
#include <domsnap/storage.h>
#include <fmt/format.h>
#include <functional>
#include <unistd.h>

namespace domsnap {

using namespace engine;

namespace {

constexpr const char* folder_of_libvirt = "/var/lib/libvirt/images";

/// "NAME FOLDER"; a name has no blanks in it, a folder may.
void add_line(std::vector<FolderPool>& pools, std::string_view line, const std::string& where) {
    line = text::trim(line);
    if (line.empty() || line.front() == '#') return;
    const auto blank = line.find_first_of(" \t");
    const auto folder = blank == std::string_view::npos ? std::string_view() : text::trim(line.substr(blank));
    if (!folder.starts_with('/'))
        throw Error(ErrorCode::invalid_request,
                    fmt::format("{}: '{}' is not NAME FOLDER, with an absolute folder", where,
                                text::printable(line)));
    const std::string name(line.substr(0, blank));
    std::erase_if(pools, [&](const auto& pool) { return pool.name == name; });
    pools.push_back({name, std::string(folder)});
}

/// The format that a domain or a record says; asked only of what looks like an image, since anything else is
/// raw whoever says what.
using Says = std::function<std::optional<std::string>(const std::string& path)>;

std::optional<Volume> look(const std::string& path, const Says& says) {
    const auto info = os::file_info(path);
    if (!info || !info->is_regular) return std::nullopt;
    Volume volume{.name = text::base_name(path),
                  .path = path,
                  .format = "raw",
                  .capacity = info->size,
                  .allocation = info->allocated,
                  .backing = {},
                  .backing_format = {},
                  .known = false,
                  .alone = true,
                  .mode = info->mode,
                  .modified = info->modified};
    try {
        if (const auto header = image::header(path)) {
            const auto said = says(path);
            volume.known = said.has_value();
            if (said && *said != "qcow2") return volume;
            volume.format = "qcow2";
            volume.alone = header->backing.empty() && header->data_file.empty();
            volume.capacity = header->virtual_size;
            volume.backing =
                header->backing.empty() ? "" : image::named_file(header->backing, path, "backing file");
            volume.backing_format = header->backing_format;
        }
    } catch (const Error&) { // damaged, or resting on what is no file: whoever would use it is told so then
    }
    return volume;
}

} // namespace

std::vector<FolderPool> configured_pools(const Folders& folders) {
    os::guard_folder(folders.state);
    const auto file = folders.state + "/pools";
    const auto content = os::read_own_file(file, 1 << 20);
    std::vector<FolderPool> pools;
    if (!content && geteuid() == 0 && os::exists(folder_of_libvirt)) return {{"default", folder_of_libvirt}};
    const auto lines = text::split(content.value_or(""), '\n');
    for (size_t i = 0; i < lines.size(); ++i)
        add_line(pools, lines[i], fmt::format("{}, line {}", file, i + 1));
    return pools;
}

FolderSpace space_of_pool(const std::string& folder) {
    const auto info = os::file_info(folder);
    if (!info || !info->is_folder)
        throw Error(ErrorCode::not_found,
                    fmt::format("cannot open directory '{}': {}", folder,
                                info ? "Not a directory" : "No such file or directory"),
                    "make it, or let virsh pool-build do so");
    const auto system = os::file_system_of(folder);
    return {system.size, system.available};
}

void make_pool_folder(const std::string& folder) { os::make_folders(folder); }

bool is_volume(const std::string& path) {
    const auto info = os::file_info(path);
    return info && info->is_regular;
}

std::vector<std::string> volume_names(const std::string& pool_folder) {
    auto names = os::list_folder(pool_folder);
    std::erase_if(names, [&](const auto& name) {
        return name.starts_with('.') || !is_volume(pool_folder + "/" + name);
    });
    return names;
}

std::optional<Volume> volume(const Folders& folders, const std::string& path) {
    return look(path, [&](const std::string& file) { return format_in_use(folders, file); });
}

} // namespace domsnap

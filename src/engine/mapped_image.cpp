#include "engine/mapped_image.h"

#include "base/clock.h"
#include "base/error.h"
#include "engine/memory_file.h"
#include "memory/image.h"
#include "os/file.h"
#include "os/host_memory.h"
#include "os/identity.h"
#include "plan/planner.h"
#include "store/checksum.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::engine {

namespace {

/// A file that was touched within the last ticks of the file system's clock could be touched once more
/// without any of its times telling. A second is many of them.
constexpr uint64_t settled = 1'000'000'000;

std::string folder_of_memory(const Folders& folders) { return folders.runtime + "/verified"; }

std::string memory_of(const Folders& folders, const std::string& image) {
    return fmt::format("{}/{}.json", folder_of_memory(folders), store::hash_text(image));
}

os::FileIdentity identity_of(const std::string& image) {
    if (const auto identity = os::file_identity(image)) return *identity;
    throw Error(ErrorCode::not_found, fmt::format("memory image '{}' is not there", image));
}

/// All of it as one text: the file is the same if the text is.
std::string remembered_text(const std::string& image, const os::FileIdentity& file) {
    return nlohmann::json{{"version", 1},
                          {"image", image},
                          {"hash", memory::image_hash(image)},
                          {"device", file.device},
                          {"inode", file.inode},
                          {"size", file.size},
                          {"modified", file.modified},
                          {"changed", file.changed}}
               .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
           "\n";
}

void verify(const Session& session, const memory::ImageReader& image) {
    const auto hooks = check_hooks(session.control());
    memory::verify_pages(image, &hooks);
    try {
        memory::verify_zeros(image, hooks.should_stop);
    } catch (const Error& error) {
        throw Error(error.code(), error.what(),
                    "only a guest that maps the file would see it: go back without --mapped");
    }
}

} // namespace

std::string mapped_file(const std::string& image) {
    // Its links alone: the tables of pages, which an ImageReader reads and checks, are as long as RAM is
    // large, and who maps the file has them checked by require_verified() or copy_ram().
    std::string file = image;
    for (size_t depth = 1; depth <= memory::max_chain; ++depth) {
        const auto link = memory::image_link(file);
        if (!link.parent) return file;
        file = memory::parent_file(file, *link.parent);
    }
    throw Error(ErrorCode::corrupt,
                fmt::format("memory image '{}' rests on more than {} others", image, memory::max_chain - 1));
}

void require_verified(const Session& session, const std::string& image_path) {
    const auto path = mapped_file(image_path);
    const auto before = identity_of(path);
    const auto began = static_cast<uint64_t>(since_epoch<std::chrono::nanoseconds>());
    const auto memory = memory_of(session.folders(), path);
    const auto text = remembered_text(path, before);
    if (os::read_own_file(memory, 64 << 10) == text) return;
    verify(session, memory::ImageReader::open(path));
    if (remembered_text(path, identity_of(path)) != text)
        throw Error(ErrorCode::conflict, fmt::format("somebody changes memory image '{}'", path),
                    "try again when that is over");
    if (before.changed + settled > began) return; // too young to be known again
    os::make_folders(folder_of_memory(session.folders()));
    os::write_file(memory, text);
}

void forget_verified(const Folders& folders, const std::string& image) {
    if (const auto memory = memory_of(folders, image); os::exists(memory)) os::remove_file_durably(memory);
}

RamToMap ram_to_map(const Session& session, const std::string& image, bool tmpfs) {
    if (image.empty()) return {};
    RamToMap ram{mapped_file(image), {}, memory::RamOrigin{image, memory::image_hash(image), true}};
    if (!tmpfs) return ram;
    const auto whole = memory::ImageReader::open(ram.file);
    plan::check_room_for_copy(image, whole.identity().ram_size, os::available_memory());
    auto hooks = check_hooks(session.control());
    hooks.progress = [&](uint64_t done, uint64_t total) {
        session.control().report("copying memory", done, total);
    };
    ram.copy = memory::copy_ram(whole, hooks);
    ram.origin->copy = memory::identity_of(*ram.copy, whole);
    return ram;
}

void note_own_ram(const machine::RuntimeFiles& files, const std::string& image) {
    memory::write_ram_origin(files.ram(), {image, memory::image_hash(image), false});
}

std::optional<memory::RamOrigin> mapped_ram(const View& view) {
    if (!view.process()) return std::nullopt;
    auto origin = memory::read_ram_origin(view.files().ram());
    return origin && origin->mapped ? std::move(origin) : std::nullopt;
}

bool is_mapped_from(const memory::RamOrigin& ram, const std::string& image) {
    const auto file = mapped_file(image);
    return ram.copy ? ram.copy->hash == memory::image_hash(file) : mapped_file(ram.image) == file;
}

} // namespace domsnap::engine

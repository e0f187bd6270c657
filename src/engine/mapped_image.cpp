#include "engine/mapped_image.h"

#include "base/clock.h"
#include "base/error.h"
#include "engine/memory_file.h"
#include "memory/image.h"
#include "memory/ram_origin.h"
#include "os/file.h"
#include "os/identity.h"
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
std::string remembered_text(const memory::ImageReader& image, const os::FileIdentity& file) {
    return nlohmann::json{{"version", 1},
                          {"image", image.path()},
                          {"hash", fmt::format("{:016x}", image.hash())},
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
    return memory::ImageReader::open(image).layers().back().path;
}

void require_verified(const Session& session, const std::string& image_path) {
    const auto path = mapped_file(image_path);
    const auto before = identity_of(path);
    const auto began = static_cast<uint64_t>(since_epoch<std::chrono::nanoseconds>());
    const auto image = memory::ImageReader::open(path);
    const auto memory = memory_of(session.folders(), path);
    const auto text = remembered_text(image, before);
    if (os::read_own_file(memory, 64 << 10) == text) return;
    verify(session, image);
    if (remembered_text(image, identity_of(path)) != text)
        throw Error(ErrorCode::conflict, fmt::format("somebody changes memory image '{}'", path),
                    "try again when that is over");
    if (before.changed + settled > began) return; // too young to be known again
    os::make_folders(folder_of_memory(session.folders()));
    os::write_file(memory, text);
}

void forget_verified(const Folders& folders, const std::string& image) {
    if (const auto memory = memory_of(folders, image); os::exists(memory)) os::remove_file_durably(memory);
}

void note_ram_origin(const machine::RuntimeFiles& files, const std::string& image, bool mapped) {
    memory::write_ram_origin(files.ram(), {image, memory::image_hash(image), mapped});
}

std::optional<std::string> mapped_image(const View& view) {
    if (!view.process()) return std::nullopt;
    const auto origin = memory::read_ram_origin(view.files().ram());
    return origin && origin->mapped ? std::optional(origin->image) : std::nullopt;
}

} // namespace domsnap::engine

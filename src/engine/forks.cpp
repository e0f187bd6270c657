#include "engine/forks.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/look.h"
#include "engine/mapped_image.h"
#include "engine/others.h"
#include "image/header.h"
#include "memory/image.h"
#include "memory/image_link.h"
#include "memory/ram_origin.h"
#include "os/file.h"
#include "os/identity.h"
#include "xml/document.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::engine {

namespace {

using Pins = std::map<std::string, std::vector<std::string>>;

void pin(Pins& pins, const std::string& file, const std::string& who) {
    auto& all = pins[file];
    if (std::find(all.begin(), all.end(), who) == all.end()) all.push_back(who);
}

/// An image, and those that it rests on as far as they can be read: who uses it needs all of them.
void pin_image(Pins& pins, const std::string& image, const std::string& who) {
    for (const auto& file : memory::files_of_image(image))
        pin(pins, file, who);
}

void pin_for_forks(Pins& pins, const Session& session) {
    for (const auto& name : store::domain_names(session.folders().state)) {
        if (name == session.name()) continue;
        const auto fork = fork_of(store::DomainFolder(session.folders().state, name));
        if (!fork) continue;
        const auto who = fmt::format("{} '{}'", fork->adopted() ? "domain" : "fork", text::printable(name));
        pin_image(pins, fork->image, who);
        for (const auto& disk : fork->disks)
            if (!disk.file.empty()) pin(pins, disk.file, who);
    }
}

/// By the run-time folders: few domains run, and many may be defined.
void pin_for_guests(Pins& pins, const Session& session) {
    const auto& runtime = session.folders().runtime;
    for (const auto& entry : os::list_folder(runtime)) {
        const machine::RuntimeFiles files{runtime + "/" + entry};
        if (!os::exists(files.ram()) || !machine::find(files)) continue;
        const auto origin = memory::read_ram_origin(files.ram());
        if (!origin || !origin->mapped || origin->copy) continue;
        // One that is being made ready has no document yet.
        const auto name = os::exists(files.live())
                              ? parse_domain(os::read_file(files.live(), store::max_document), entry).name
                              : entry;
        pin_image(pins, origin->image, fmt::format("the running guest of '{}'", text::printable(name)));
    }
}

/// Made by us, and still what we made.
bool is_ours(const Session& session, const std::string& path) {
    const auto known = session.ledger().find(path);
    if (!known || !known->made) return false;
    const auto now = os::file_identity(path);
    return now && now->inode == known->place.inode && now->born == known->place.born;
}

} // namespace

std::optional<model::Fork> fork_of(const store::DomainFolder& folder) {
    const auto text = folder.fork();
    if (!text) return std::nullopt;
    auto fork = model::fork_from(xml::parse_root(*text, "fork", folder.path() + "/fork.xml"));
    if (fork.adopted()) fork.image = managed_save_copy(folder); // the domain may have been renamed
    return fork;
}

Pins pinned_files(const Session& session) {
    Pins pins;
    pin_for_forks(pins, session);
    pin_for_guests(pins, session);
    return pins;
}

void refuse_waiting(const View& view, const std::string& verb) {
    const auto fork = fork_of(view.folder());
    if (!fork || !fork->memory) return;
    const auto name = text::printable(view.name());
    throw Error(
        ErrorCode::conflict,
        fork->adopted()
            ? fmt::format("{}: the memory that libvirt saved of domain '{}' waits for its next start, and "
                          "belongs to its disks as they are",
                          verb, name)
            : fmt::format("{}: fork '{}' was not started yet, and the memory that waits for it from snapshot "
                          "'{}' belongs to its disks as they are",
                          verb, name, text::printable(fork->snapshot)),
        fmt::format("domsnap start {0}, or without that memory: domsnap start {0} --force-boot",
                    view.name()));
}

void require_waiting_state(const View& view, const model::Fork& fork) {
    const std::string hint = "it can still boot from its disks: start --force-boot";
    const auto refuse = [&](const std::string& why) {
        const auto name = text::printable(view.name());
        throw Error(ErrorCode::conflict,
                    fork.adopted()
                        ? fmt::format("domain '{}' cannot go on from where libvirt saved it: {}", name, why)
                        : fmt::format("fork '{}' cannot go on from snapshot '{}': {}", name,
                                      text::printable(fork.snapshot), why),
                    hint);
    };
    if (!os::exists(fork.image)) refuse(fmt::format("its memory image {} is not there", fork.image));
    if ((fork.adopted() ? memory::save_file_hash(fork.image) : memory::image_hash(fork.image)) != fork.hash)
        refuse(fmt::format("{} is another memory image", fork.image));
    for (const auto& disk : fork.disks) {
        const auto now = os::file_identity(disk.overlay);
        if (!now) refuse(fmt::format("its disk {} is not there", disk.overlay));
        if (disk.modified && disk.modified != now->modified)
            refuse(fmt::format("its disk {} was written to", disk.overlay));
        if (fork.adopted()) continue; // domsnap did not make it
        const auto known = view.ledger().find(disk.overlay);
        // A guest that writes allocates, and so the file grows.
        if (known && (now->inode != known->place.inode || now->size != known->content.size))
            refuse(fmt::format("its disk {} was written to", disk.overlay));
    }
}

model::Fork note_of_saved(const memory::SaveFile& file, const model::Domain& saved, const std::string& copy,
                          int64_t now) {
    model::Fork note;
    note.created = now;
    note.image = copy;
    note.hash = memory::save_file_hash(file.path());
    for (const auto& disk : saved.disks) {
        if (disk.empty() || disk.defaults_to_no()) continue;
        const auto seen = os::file_identity(disk.source);
        note.disks.push_back({disk.target, disk.source, {}, seen ? seen->modified : 0});
    }
    note.memory = model::WaitingMemory{!file.was_running(), false, saved.document};
    return note;
}

std::string managed_save_copy(const store::DomainFolder& folder) { return folder.path() + "/managed-save"; }

void check_undefine_saved(const View& view, const Host::UndefineOptions& options) {
    const auto fork = fork_of(view.folder());
    if (options.managed_save || !fork || !fork->memory || !fork->adopted()) return;
    throw Error(
        ErrorCode::conflict,
        fmt::format("Requested operation is not valid: Refusing to undefine while domain managed save "
                    "image exists: {}",
                    fork->image),
        fmt::format("domsnap start {0} goes on from it, domsnap undefine {0} --managed-save removes it",
                    text::printable(view.name())));
}

std::vector<std::string> own_files(const Session& session) {
    std::vector<std::string> files;
    const auto fork = fork_of(session.folder());
    if (!fork || fork->adopted()) return files;
    plan::Facts facts; // all of it is somebody else's if a domain cannot be read
    look_at_disks(facts, session.definition());
    const auto others = files_of_others(session, facts);
    for (const auto& disk : session.definition().disks)
        for (auto path = disk.source; !path.empty() && !others.contains(path) && is_ours(session, path);) {
            files.push_back(path);
            const auto header = image::header(path);
            path = header ? image::named_file(header->backing, path, "backing file") : "";
        }
    return files;
}

} // namespace domsnap::engine

#include "engine/adoption.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/adoption_snapshots.h"
#include "engine/forks.h"
#include "engine/guest.h"
#include "engine/look.h"
#include "engine/memory_file.h"
#include "engine/memory_identity.h"
#include "engine/networks.h"
#include "engine/session.h"
#include "image/header.h"
#include "machine/command_line.h"
#include "machine/process.h"
#include "model/firmware.h"
#include "model/tree.h"
#include "os/file.h"
#include "plan/points.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>

namespace domsnap::engine {

namespace {

/// One look, from the definition to the list of what the ledger is to know.
class Look {
  public:
    Look(const Folders& folders, const LibvirtFiles& libvirt, const std::string& domain,
         const std::set<std::string>& together, const Control& control)
        : folders_(folders), libvirt_(libvirt), together_(together), control_(control) {
        adoption_.result.domain = domain;
    }

    Adoption run() {
        const auto path = libvirt_.definition_path(adoption_.result.domain);
        if (!reads([&] { adoption_.definition = parse_domain(LibvirtFiles::read(path), path); }))
            return done();
        adoption_.definition.document.remove_attribute("id");
        adoption_.result.uuid = adoption_.definition.uuid;
        check_domain();
        check_disks();
        read_snapshots();
        check_snapshots();
        check_others();
        if (adoption_.result.good()) note_frozen();
        return done();
    }

  private:
    Adoption done() { return std::move(adoption_); }
    const std::string& name() const { return adoption_.result.domain; }
    void problem(std::string words) { adoption_.result.problems.push_back(std::move(words)); }

    template <class Work>
    bool reads(const Work& work) {
        try {
            work();
            return true;
        } catch (const Error& error) {
            problem(error.what());
            return false;
        }
    }

    void check_domain() {
        const auto& domain = adoption_.definition;
        if (domain.name != name()) problem(fmt::format("its definition is of a domain '{}'", domain.name));
        if (domain.uuid.empty()) problem("its definition has no <uuid>");
        if (const auto pid = libvirt_.running(name(), domain.uuid))
            problem(fmt::format("libvirt runs it (QEMU is process {}): shut it down first", *pid));
        if (libvirt_.has_checkpoints(name()))
            adoption_.result.notes.push_back("its checkpoints, for backups, are not taken over");
        check_runs(domain, "as it is defined");
        look_at_nvram(domain);
        if (!domain.uuid.empty()) look_at_tpm(domain);
        const auto saved = libvirt_.managed_save(name());
        adoption_.result.managed_save = !saved.empty();
        if (!saved.empty())
            if (!reads([&] { look_at_saved(saved); })) adoption_.result.problems.back() += what_to_do(saved);
    }

    std::string what_to_do(const std::string& saved) const {
        return fmt::format(
            ". Its memory waits in {} for libvirt's next start: virsh start {} goes on from it, "
            "virsh managedsave-remove {} drops it",
            saved, name(), name());
    }

    /// It stays where libvirt has it.
    void look_at_nvram(const model::Domain& domain) {
        const auto nvram = model::nvram_of(domain);
        if (!nvram || nvram->file.empty() || os::exists(nvram->file)) return;
        if (!os::exists(text::folder_of(nvram->file)))
            problem(fmt::format("its UEFI variables are not there, nor their folder: {}", nvram->file));
        else
            adoption_.result.notes.push_back(fmt::format(
                "its UEFI variables {} are not there: the next start makes new ones", nvram->file));
    }

    void look_at_tpm(const model::Domain& domain) {
        const auto state = model::has_tpm(domain) ? libvirt_.tpm_state(domain.uuid) : "";
        if (state.empty()) return;
        const auto copy = model::tpm_file(store::firmware_folder(folders_.state, domain.uuid));
        // Kept when a domain of that UUID was undefined, or left by an adoption that was cut short.
        if (os::exists(copy) &&
            os::read_file(copy, model::max_flash) != os::read_file(state, model::max_flash))
            problem(fmt::format("the state of another TPM lies where that of its own would go: {} (remove "
                                "it, if nobody needs it)",
                                copy));
        adoption_.copies.emplace_back(state, copy);
        adoption_.result.notes.push_back(fmt::format("its TPM's state is copied from {}", state));
    }

    /// The domain that runs then is the one in the file, on the disks that both have.
    void look_at_saved(const std::string& path) {
        const auto file = memory::SaveFile::open(path);
        const auto& definition = adoption_.definition;
        const auto saved = parse_domain(file.domain_xml(), path);
        if (const auto words = identity_problem(identity_of_memory(path), path, definition); !words.empty())
            throw Error(ErrorCode::conflict, words);
        for (const auto& disk : saved.disks)
            if (const auto* now = definition.find_disk(disk.target);
                !disk.empty() && !disk.defaults_to_no() && (!now || now->source != disk.source))
                throw Error(ErrorCode::conflict,
                            fmt::format("disk '{}' was {} when its memory was saved, and is {} now",
                                        disk.target, disk.source,
                                        now && !now->empty() ? now->source : "not there"));
        static_cast<void>(command_line_of(saved, machine::Purpose::memory));
        verify_memory(path, control_);
        const auto copy = managed_save_copy(store::DomainFolder(folders_.state, name()));
        adoption_.saved = note_of_saved(file, saved, copy, std::time(nullptr));
        adoption_.copies.emplace_back(path, copy);
        adoption_.result.notes.push_back(fmt::format(
            "its memory is copied from {}: the next start goes on from it (--force-boot: without it)", path));
    }

    /// What domsnap would refuse at the first start, or revert, is better known before.
    void check_runs(const model::Domain& domain, const std::string& which) {
        try {
            static_cast<void>(command_line_of(domain, machine::Purpose::boot));
        } catch (const Error& error) {
            problem(fmt::format("domsnap could not run it {}: {}", which, error.what()));
        }
    }

    std::vector<std::string> command_line_of(const model::Domain& domain, machine::Purpose purpose) {
        const auto ready = on_networks(folders_, runnable(folders_, domain), purpose);
        machine::CommandLineFacts facts;
        facts.emulator = machine::find_emulator(ready);
        const auto emulator = emulator_of(folders_, ready);
        facts.qemu_major = emulator.capabilities.major;
        facts.qemu_minor = emulator.capabilities.minor;
        facts.runtime_folder = runtime_files(folders_, ready.uuid).folder;
        for (const auto& disk : ready.disks)
            if (!disk.empty()) facts.chains[disk.target].push_back({disk.source, disk.format});
        return machine::command_line(ready, facts);
    }

    void check_disks() {
        look_at_disks(facts_, adoption_.definition);
        for (const auto& disk : adoption_.definition.disks) {
            if (disk.empty() || disk.defaults_to_no()) continue;
            for (const auto& file : plan::chain_from(facts_.files, disk.source))
                if (const auto* seen = facts_.file(file); seen && !seen->problem.empty())
                    problem(fmt::format("disk '{}': {}", disk.target, seen->problem));
        }
    }

    void read_snapshots() {
        for (const auto& path : libvirt_.snapshot_paths(name())) {
            read_.push_back(read_libvirt_snapshot(path));
            look_at_snapshot_files(facts_, read_.back());
        }
    }

    void check_snapshots() {
        for (const auto& read : read_) {
            AdoptedSnapshot said{.name = read.snapshot.name, .what = {}, .problem = {}};
            said.problem = snapshot_problem(read, adoption_.definition, facts_, control_);
            if (said.problem.empty()) said.problem = relation_problem(read.snapshot);
            if (said.problem.empty()) said.what = snapshot_words(read.snapshot);
            adoption_.result.snapshots.push_back(std::move(said));
            adoption_.snapshots.push_back(read.snapshot);
            if (read.snapshot.active.value_or(false)) adoption_.current = read.snapshot.name;
        }
    }

    /// Its parent, its name among the others, and whether its guest can be run.
    std::string relation_problem(const model::Snapshot& snapshot) {
        const auto named = [&](const std::string& wanted) {
            return std::count_if(read_.begin(), read_.end(),
                                 [&](const auto& other) { return other.snapshot.name == wanted; });
        };
        if (named(snapshot.name) > 1) return "there are two of that name";
        if (!snapshot.parent.empty() && named(snapshot.parent) == 0)
            return fmt::format("its parent '{}' is not there", snapshot.parent);
        if (snapshot.memory.location == model::Location::no) return {};
        try {
            auto domain = snapshot.domain.front();
            domain.name = "domain";
            static_cast<void>(
                command_line_of(model::domain_from(std::move(domain)), machine::Purpose::memory));
            return {};
        } catch (const Error& error) {
            return fmt::format("domsnap could not run its guest: {}", error.what());
        }
    }

    /// Whoever is not domsnap's too is not asked before a file is merged. (F5)
    void check_others() {
        const auto ours = files_to_own();
        for (const auto& other : libvirt_.domain_names()) {
            if (other == name() || together_.contains(other) ||
                store::DomainFolder(folders_.state, other).defined())
                continue;
            try {
                for (const auto& file : files_of_other(other))
                    if (ours.contains(file)) {
                        problem(
                            fmt::format("libvirt's domain '{}' uses {}, too: adopt both in one command, so "
                                        "that domsnap knows who reads it",
                                        other, file));
                        break;
                    }
            } catch (const Error& error) {
                adoption_.result.notes.push_back(
                    fmt::format("what libvirt's domain '{}' reads is not known: {}", other, error.what()));
            }
        }
    }

    /// What a delete or a revert of domsnap's may merge or remove: what was frozen, and overlays.
    std::set<std::string> files_to_own() const {
        std::set<std::string> files;
        for (const auto& read : read_) {
            for (const auto& disk : read.snapshot.disks)
                if (!disk.source.empty()) files.insert(disk.source);
            for (const auto& point : read.snapshot.points())
                files.insert(point.file);
        }
        for (const auto& disk : adoption_.definition.disks)
            if (!disk.empty() && !disk.defaults_to_no()) files.insert(disk.source);
        return files;
    }

    std::vector<std::string> files_of_other(const std::string& other) {
        plan::Facts facts;
        std::vector<std::string> files;
        const auto domain = parse_domain(libvirt_.definition(other), other);
        look_at_disks(facts, domain);
        for (const auto& path : libvirt_.snapshot_paths(other))
            look_at_snapshot_files(facts, read_libvirt_snapshot(path));
        for (const auto& [file, seen] : facts.files)
            files.push_back(file);
        return files;
    }

    void note_frozen() {
        for (const auto& snapshot : adoption_.snapshots) {
            for (const auto& disk : snapshot.disks)
                if (disk.point && disk.point->tag.empty()) note_chain(*disk.point);
            if (!snapshot.memory.file.empty()) note({snapshot.memory.file, "", true});
        }
    }
    void note_chain(const model::DiskPoint& point) {
        for (const auto& file : plan::chain_from(facts_.files, point.file))
            if (const auto* seen = facts_.file(file)) note({file, seen->format, true});
    }
    void note(plan::FrozenFile file) {
        const auto is_it = [&](const auto& other) { return other.path == file.path; };
        if (std::none_of(adoption_.frozen.begin(), adoption_.frozen.end(), is_it))
            adoption_.frozen.push_back(std::move(file));
    }

    const Folders& folders_;
    const LibvirtFiles& libvirt_;
    const std::set<std::string>& together_;
    const Control& control_;
    Adoption adoption_;
    plan::Facts facts_;
    std::vector<ReadSnapshot> read_;
};

} // namespace

Adoption look_at_libvirt(const Folders& folders, const LibvirtFiles& libvirt, const std::string& domain,
                         const std::set<std::string>& together, const Control& control) {
    return Look(folders, libvirt, domain, together, control).run();
}

} // namespace domsnap::engine

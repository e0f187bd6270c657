#include "engine/guest.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/firmware.h"
#include "engine/in_place.h"
#include "engine/mapped_image.h"
#include "engine/memory_file.h"
#include "engine/networks.h"
#include "engine/observe.h"
#include "engine/pages.h"
#include "image/qemu_img.h"
#include "image/vm_state.h"
#include "memory/capture.h"
#include "memory/save_file.h"
#include "model/firmware.h"
#include "os/file.h"
#include "os/guard.h"
#include "os/socket.h"
#include "qmp/commands.h"

#include <atomic>
#include <exception>
#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

namespace domsnap::engine {

std::string cache_folder(const Folders& folders) {
    os::guard_folder(folders.state);
    return folders.state + "/cache";
}

namespace {

machine::EmulatorFacts facts_of(const Folders& folders, const std::string& emulator) {
    os::make_folders(cache_folder(folders));
    return machine::emulator_facts(emulator, cache_folder(folders), for_start());
}

machine::CommandLineFacts command_line_facts(const Session& session, const model::Domain& domain) {
    machine::CommandLineFacts facts;
    facts.emulator = machine::find_emulator(domain);
    const auto emulator = facts_of(session.folders(), facts.emulator);
    facts.qemu_major = emulator.capabilities.major;
    facts.qemu_minor = emulator.capabilities.minor;
    facts.runtime_folder = session.files().folder;
    facts.tpm_folder = model::tpm_folder(firmware_folder(session));
    return facts;
}

/// Ids count up for as long as the host runs, as libvirt's do.
unsigned long next_id(const Folders& folders) {
    os::make_folders(folders.runtime);
    const auto path = folders.runtime + "/next-id";
    const auto lock = os::FileLock::take(path + ".lock", os::LockMode::exclusive, "a new id", quick());
    const auto id = os::exists(path) ? text::to_u64(text::trim(os::read_file(path, 64))).value_or(1) : 1;
    os::write_file(path, fmt::format("{}\n", id + 1));
    return id;
}

std::string last_words(const machine::RuntimeFiles& files) {
    try {
        const auto lines = text::split(text::trim(os::read_file(files.log(), 16 << 20)), '\n');
        return lines.empty() ? std::string{} : lines.back();
    } catch (const Error&) {
        return {};
    }
}

/// The image's pages on their way into the pipe, from a thread of their own: writing blocks as QEMU reads.
class Feed {
  public:
    using Source = std::function<void(int out, const Control& control)>;
    Feed(Source source, os::Fd out)
        : source_(std::move(source)), out_(std::move(out)), thread_([this] { run(); }) {}
    ~Feed() {
        stop_ = true;
        thread_.join();
    }
    uint64_t done() const { return done_; }
    uint64_t total() const { return total_; }
    bool failed() const { return failed_; }
    void rethrow() const { std::rethrow_exception(error_); } ///< only if failed()

  private:
    void run() {
        const Control control{[this](const Progress& p) { done_ = p.done, total_ = p.total; }, {}, &stop_};
        try {
            source_(out_.get(), control);
        } catch (...) {
            error_ = std::current_exception();
            failed_ = true;
        }
        out_.reset(); // the end of the stream
    }

    Source source_;
    os::Fd out_;
    CancelFlag stop_ = false;
    std::atomic<uint64_t> done_ = 0, total_ = 0;
    std::atomic<bool> failed_ = false;
    std::exception_ptr error_;
    std::thread thread_; // last: it uses the others
};

void wait_until_loaded(Session& session, const Feed& feed) {
    for (;;) {
        if (feed.failed()) feed.rethrow();
        const auto migration = qmp::query_migrate(session.monitor(), quick());
        if (migration.status == "completed") return;
        if (migration.status == "failed")
            throw Error(ErrorCode::refused_by_qemu,
                        fmt::format("QEMU did not take the memory: {}",
                                    migration.error.empty() ? last_words(session.files()) : migration.error));
        session.control().report("memory", feed.done(), feed.total());
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

} // namespace

machine::EmulatorFacts emulator_of(const Folders& folders, const model::Domain& domain) {
    return facts_of(folders, machine::find_emulator(domain));
}

model::Domain runnable(const Folders& folders, model::Domain domain) {
    const auto emulator = machine::find_emulator(domain);
    const auto versioned = machine::versioned_machine(facts_of(folders, emulator), domain.machine);
    if (versioned != domain.machine) model::set_machine(domain, versioned);
    return with_firmware(folders, std::move(domain));
}

static qmp::Client start_in(const Session& session, const machine::RuntimeFiles& files,
                            const model::Domain& domain, const Beginning& beginning) {
    model::Domain live = on_networks(session.folders(), domain, beginning.purpose);
    auto facts = command_line_facts(session, domain);
    facts.chains = chains_of(domain);
    facts.incoming = beginning.incoming;
    const auto ram = ram_to_map(session, beginning.ram, beginning.tmpfs); // QEMU's own by the end
    facts.ram_image = ram.file;
    if (ram.copy) facts.ram_fd = ram.copy->fd().get();
    make_firmware_ready(session, domain);
    facts.domain_id = next_id(session.folders());
    os::make_folders(files.folder);
    for (const auto& stale : {files.pages(), files.ram()}) // of a QEMU that is gone
        os::remove_file_durably(stale);
    // Before it maps the image: whoever would remove that must see who needs it.
    if (ram.origin) memory::write_ram_origin(files.ram(), *ram.origin);
    if (!files.beside) forget_warm(session, session.control());
    live.document.set_attribute("id", std::to_string(facts.domain_id));
    auto started = machine::start(live, facts, files, for_start());
    os::write_file(files.live(), model::to_text(live.document) + "\n");
    return std::move(started.monitor);
}

void start_qemu(Session& session, const model::Domain& domain, const Beginning& beginning) {
    session.forget_monitor();
    session.use_monitor(start_in(session, session.files(), domain, beginning));
}

qmp::Client start_qemu_beside(Session& session, const model::Domain& domain, const std::string& ram,
                              bool tmpfs) {
    return start_in(session, session.files().next(), domain, {true, ram, tmpfs, machine::Purpose::memory});
}

void try_qemu(Session& session, const model::Domain& domain) {
    auto facts = command_line_facts(session, domain);
    facts.trial = true;
    facts.chains = chains_of(domain);
    for (const auto& disk : domain.disks)
        if (!disk.empty())
            facts.virtual_sizes[disk.target] = image::info(disk.source, disk.format).virtual_size;
    add_flash_sizes(facts, domain);
    const auto scratch = session.files().folder + "-trial";
    os::make_folders(scratch);
    try {
        machine::try_out(on_networks(session.folders(), domain, machine::Purpose::boot), facts, scratch,
                         for_start());
    } catch (const Error&) {
        os::remove_tree(scratch);
        throw;
    }
    os::remove_tree(scratch);
}

void end_qemu(Session& session, const std::string& reason) {
    const auto process = session.process();
    session.forget_monitor(); // QEMU serves one client at a time, and its end wants to be that one
    if (!process) return;
    end_page_server(session.files());
    machine::end(session.files(), *process, for_end());
    forget_warm(session, session.control());
    note_reason(session, reason);
}

static bool answers(Session& session) {
    try {
        session.monitor();
        return true;
    } catch (const Error&) {
        return false; // another client holds the monitor, QEMU hangs, or it is ending already
    }
}

void kill_qemu(Session& session, const std::string& reason) {
    const auto process = session.process();
    if (!process || !answers(session) ||
        !machine::kill_stopped(session.files(), *process, session.monitor(), for_a_look()))
        return end_qemu(session, reason);
    session.forget_monitor();
    end_page_server(session.files()); // whose guest might not have stopped without it
    forget_warm(session, session.control());
    note_reason(session, reason);
}

void await_killed_qemu(const Session& session) {
    machine::await_killed(session.files(), for_progress());
    end_prepared_qemu(session);
}

void note_reason(Session& session, const std::string& reason) {
    os::make_folders(session.files().folder);
    os::write_file(session.files().reason(), reason + "\n");
}

std::string noted_reason(const machine::RuntimeFiles& files) {
    return os::exists(files.reason()) ? std::string(text::trim(os::read_file(files.reason(), 256)))
                                      : std::string{};
}

static void load_stream(Session& session, Feed::Source source) {
    auto& qemu = session.monitor();
    auto [stream, out] = os::make_pipe();
    qmp::set_migration_capabilities(qemu, {}, quick());
    qmp::give_fd(qemu, "domsnap-memory", stream.get(), quick());
    stream.reset(); // QEMU's copy must be the only read end: when it dies, the feed gets EPIPE and does not
                    // hang
    qmp::migrate_incoming_fd(qemu, "domsnap-memory", quick());
    try {
        const Feed feed(std::move(source), std::move(out));
        wait_until_loaded(session, feed);
    } catch (const Error& error) {
        const auto words = session.process() ? std::string{} : last_words(session.files());
        throw Error(error.code(), words.empty() ? error.what() : fmt::format("{} ({})", error.what(), words),
                    error.hint());
    }
}

void load_memory(Session& session, const model::Domain& domain, const std::string& path, bool mapped) {
    load_stream(session,
                [&](int out, const Control& control) { write_memory(domain, path, out, control, mapped); });
    if (!mapped && !memory::SaveFile::is_one(path)) note_own_ram(session.files(), path);
}

void load_vm_state(Session& session, const std::string& file, const std::string& tag) {
    load_stream(session,
                [&](int out, const Control& control) { image::write_vm_state(file, tag, out, control); });
}

} // namespace domsnap::engine

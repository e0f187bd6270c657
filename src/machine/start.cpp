// A domain's QEMU, started for good or on trial.
#include "machine/launch.h"
#include "machine/networks.h"
#include "machine/process.h"
#include "machine/swtpm.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "model/firmware.h"
#include "os/file.h"
#include "os/keep_holes_out.h"
#include "os/socket.h"
#include "qmp/commands.h"

#include <chrono>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

namespace domsnap::machine {

namespace {

constexpr int backlog = 16; // clients that come while one is served wait in it instead of in connect(2)

/// The sockets that QEMU listens on, bound by us: a path may be longer than what QEMU could bind (107 bytes),
/// and a client that connects as soon as the process exists finds a listener.
class Listeners {
  public:
    explicit Listeners(bool will_move) : will_move_(will_move) {}
    int add(const std::string& path) {
        remove_stale(path);
        sockets_.push_back(will_move_ ? os::bind_unix_nameless(path) : os::bind_unix(path));
        paths_.push_back(path);
        return first_descriptor + static_cast<int>(sockets_.size()) - 1;
    }
    /// (ours, the child's) of each, in the order in which they were added.
    std::vector<std::pair<int, int>> passed() const {
        std::vector<std::pair<int, int>> pairs;
        for (const auto& socket : sockets_)
            pairs.emplace_back(socket.get(), first_descriptor + static_cast<int>(pairs.size()));
        return pairs;
    }
    /// The first descriptor that the child has free.
    int next_descriptor() const { return first_descriptor + static_cast<int>(sockets_.size()); }
    /// Async-signal-safe. In the child, because SO_PEERCRED names whoever called listen(2), and clients check
    /// it.
    void listen() const {
        for (const auto& socket : sockets_)
            ::listen(socket.get(), backlog);
    }
    void close() { sockets_.clear(); }
    void remove() {
        close();
        for (const auto& path : paths_)
            os::remove_file_durably(path);
    }

    static constexpr int first_descriptor = 3;

  private:
    static void remove_stale(const std::string& path) {
        const auto info = os::file_info(path, false);
        if (!info) return;
        if (!info->is_socket)
            throw Error(ErrorCode::conflict,
                        fmt::format("'{}' is there, and is not a socket", text::printable(path)),
                        "QEMU is to listen there: remove it, or name another path in the domain's XML");
        try {
            os::connect_unix(path, Deadline::after(std::chrono::seconds(5)));
        } catch (const Error& error) {
            if (error.code() != ErrorCode::not_found) throw;
            os::remove_file_durably(path);
            return;
        }
        throw Error(ErrorCode::conflict,
                    fmt::format("another process listens on the socket '{}'", text::printable(path)));
    }

    bool will_move_;
    std::vector<os::Fd> sockets_;
    std::vector<std::string> paths_;
};

std::string who(const model::Domain& domain) {
    return fmt::format("domain '{}'", text::printable(domain.name));
}

/// The third monitor's two files: what QEMU reads at its start, and where it writes.
std::string prepare_events(const RuntimeFiles& files) {
    os::write_file(files.folder + "/events.in", "{\"execute\":\"qmp_capabilities\"}\n");
    os::write_file(files.events(), "");
    return files.folder + "/events";
}

void prepare_folder(const model::Domain& domain, const RuntimeFiles& files, Deadline deadline) {
    await_killed(files, deadline);
    if (!files.beside) await_killed(files.next(), deadline);
    if (const auto running = find(files))
        throw Error(ErrorCode::conflict,
                    fmt::format("{} runs already, as process {}", who(domain), running->pid));
    os::make_folders(files.folder);
    os::remove_file_durably(files.pid()); // of a QEMU that has ended
    end_swtpm(files);
    os::write_file(files.log(), "");
}

bool is_inside(const RuntimeFiles& files, const std::string& path) {
    return text::folder_of(path) == files.folder;
}

/// Where a socket is bound: at its path, or at one that waits for it.
std::string bound_path(const RuntimeFiles& files, const std::string& path, size_t number) {
    if (!files.beside || is_inside(files, path)) return path;
    return fmt::format("{}/waiting-{}.sock", files.folder, number);
}

void fill_in(const model::Domain& domain, const RuntimeFiles& files, CommandLineFacts& facts,
             Listeners& listeners) {
    facts.trial = false;
    facts.runtime_folder = files.folder;
    facts.events = prepare_events(files);
    if (facts.now == 0) facts.now = since_epoch<std::chrono::seconds>();
    facts.monitor_fd = listeners.add(files.monitor());
    facts.watch_fd = listeners.add(files.watch());
    const auto sockets = listening_sockets(domain, files.folder);
    for (size_t i = 0; i < sockets.size(); ++i)
        facts.channel_fds[sockets[i]] = listeners.add(bound_path(files, sockets[i], i));
    if (facts.incoming) facts.guard_fd = listeners.add(files.guard());
    facts.runtime_folder_fd = listeners.next_descriptor();
}

os::ProcessId spawn(const model::Domain& domain, CommandLineFacts facts, const RuntimeFiles& files,
                    Listeners& listeners) {
    const auto taps = plug_in(domain); // they go with QEMU
    for (size_t i = 0; i < taps.size(); ++i)
        facts.tap_fds.push_back(facts.runtime_folder_fd + 2 + static_cast<int>(i)); // the TPM's comes before
    os::Fd tpm;                                                                     // ours until QEMU has it
    if (model::has_tpm(domain)) {
        facts.tpm_fd = facts.runtime_folder_fd + 1;
        tpm = start_swtpm(facts.tpm_folder, files).second;
    }
    const int ram_fd = facts.runtime_folder_fd + 2 + static_cast<int>(taps.size());
    if (facts.ram_fd >= 0) facts.ram_image = fmt::format("/proc/self/fd/{}", ram_fd);
    const auto argv = command_line(domain, facts);
    os::write_file(files.folder + "/command-line", printable_command_line(argv));
    const auto folder = os::open_read(files.folder);
    auto passed = listeners.passed();
    passed.emplace_back(folder.get(), facts.runtime_folder_fd);
    if (tpm) passed.emplace_back(tpm.get(), facts.tpm_fd);
    for (size_t i = 0; i < taps.size(); ++i)
        passed.emplace_back(taps[i].get(), facts.tap_fds[i]);
    if (facts.ram_fd >= 0) passed.emplace_back(facts.ram_fd, ram_fd);
    const bool guarded = !facts.ram_image.empty() && !can_open_ram_readonly(facts);
    const auto in_child = [&] {
        listeners.listen();
        if (guarded && !os::keep_holes_out()) ::_exit(127);
    };
    const auto process = os::start_background({.argv = argv,
                                               .log_path = files.log(),
                                               .passed = passed,
                                               .in_child = in_child,
                                               .environment = environment(domain)});
    listeners.close(); // so that they are gone when QEMU is
    return process;
}

/// Until QEMU has answered what is in events.in, its events are not written, and an end in that moment would
/// have no reason. Each question lets its main loop run once more; a few are enough, and a QEMU without
/// events is one still.
void wait_for_events(qmp::Client& monitor, const RuntimeFiles& files, Deadline deadline) {
    for (int rounds = 0; rounds < 100; ++rounds) {
        if (os::read_file_start(files.events(), 4096).find("\"return\"") != std::string::npos) return;
        qmp::query_status(monitor, deadline);
    }
}

} // namespace

Started start(const model::Domain& domain, CommandLineFacts facts, const RuntimeFiles& files,
              Deadline deadline) {
    prepare_folder(domain, files, deadline);
    Listeners listeners(files.beside);
    std::optional<os::ProcessId> process;
    try {
        fill_in(domain, files, facts, listeners);
        process = spawn(domain, facts, files, listeners);
        // If we are killed before this is written, find() goes by the listener of the monitor's socket.
        os::write_file(files.pid(), os::to_text(*process));
        auto monitor =
            greet(*process, os::connect_unix(files.monitor(), deadline), files.log(), who(domain), deadline);
        wait_for_events(monitor, files, deadline);
        return {*process, std::move(monitor)};
    } catch (const Error&) {
        if (process) kill_child(*process);
        end_swtpm(files);
        listeners.remove();
        os::remove_file_durably(files.pid());
        throw;
    }
}

void try_out(const model::Domain& domain, CommandLineFacts facts, const std::string& scratch_folder,
             Deadline deadline) {
    facts.trial = true;
    facts.monitor_fd = 3;
    facts.runtime_folder = scratch_folder;
    if (facts.now == 0) facts.now = since_epoch<std::chrono::seconds>();
    plug_in(domain); // whether it can be, better known now; they are gone at once
    os::make_folders(scratch_folder);
    const auto argv = command_line(domain, facts);
    const ShortLived accepted(argv, environment(domain), scratch_log(scratch_folder), who(domain), deadline);
}

void take_place(const model::Domain& domain, const RuntimeFiles& files) {
    const auto next = files.next();
    os::make_folders(files.folder);
    os::exchange(files.folder, next.folder);
    const auto sockets = listening_sockets(domain, next.folder);
    for (size_t i = 0; i < sockets.size(); ++i)
        if (!is_inside(next, sockets[i]))
            os::rename_durably(bound_path({files.folder, true}, sockets[i], i), sockets[i]);
}

int runtime_folder_descriptor(const model::Domain& domain) {
    const auto sockets = listening_sockets(domain, {}).size();
    return Listeners::first_descriptor + 3 + static_cast<int>(sockets); // after the three monitors
}

} // namespace domsnap::machine

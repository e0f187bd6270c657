// The whole fake QEMU: its parts, its run state, and the loop that serves the monitors.
#pragma once

#include "agent.h"
#include "faults.h"
#include "graph.h"
#include "guest_memory.h"
#include "jobs.h"
#include "migration.h"
#include "monitor.h"
#include "options.h"
#include "schema.h"

#include <memory>
#include <set>

namespace fake {

/// What most commands answer.
inline const Json nothing = Json::object();

class Machine {
  public:
    Machine(Options given, Schema recorded);
    [[noreturn]] void run();

    // What the commands read and change.
    Options options;
    Schema schema;
    Faults faults;
    Graph graph;
    Jobs jobs;
    Migration migration;
    GuestMemory memory, rom;
    std::optional<Agent> agent; ///< in the guest
    std::string status = "prelaunch";
    std::map<std::string, domsnap::os::Fd> fds; ///< by getfd
    std::set<std::string> enabled;              ///< migration capabilities
    Json parameters = Json::object();           ///< of migration
    std::map<std::string, std::string> chardev_files;
    bool autostart = true;
    bool images_inactive = false; ///< after a finished migration, until cont
    bool quitting = false;

    bool running() const { return status == "running"; }
    bool before_8() const { return schema.version()["qemu"]["major"].get<int>() < 8; }
    void emit(const std::string& event, const Json& data = {});
    void start_cpus();                          ///< RESUME
    void stop_cpus(const std::string& because); ///< STOP; the new run state
    /// The devices become what a stream says. Throws Refusal if they do not fit the memory.
    void take_state(const StreamState& state) const;
    void shut_down(bool by_guest, const std::string& reason);

  private:
    void execute(Monitor& monitor, const std::string& line);
    Json answer(Monitor& monitor, const Json& command);
    Json run_command(Monitor& monitor, const std::string& name, const Json& arguments);
    void reply(const std::string& name, const std::function<void()>& send);
    void open_chardevs();
    void open_monitors();
    void wait_and_serve();
    void serve_agent();
    int poll_timeout() const;
    void send_late_replies();
    void finish_migration();

    struct LateReply {
        Clock::time_point at;
        std::function<void()> send;
    };
    std::vector<std::unique_ptr<Monitor>> monitors_;
    std::list<LateReply> late_;
    std::vector<domsnap::os::Fd> ptys_; ///< held open, so that they exist; nothing is written to them
};

/// One QMP command; throws Refusal.
using Command = Json (*)(Machine&, const Json& arguments, Monitor&);
/// All that the fake knows, by name.
const std::map<std::string, Command>& commands();
std::map<std::string, Command> machine_commands();
std::map<std::string, Command> block_commands();
std::map<std::string, Command> job_commands();
std::map<std::string, Command> migration_commands();

} // namespace fake

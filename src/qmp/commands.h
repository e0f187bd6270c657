// The QMP commands that domsnap uses, typed. Which of them a QEMU has, and how, is asked
// (qmp/capabilities.h). Every function blocks until QEMU answered or the deadline passed, and throws as
// Client::run does.
#pragma once

#include "qmp/client.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::qmp {

struct Status {
    bool running = false;
    std::string status;
}; ///< "running", "paused", "prelaunch", "inmigrate", "io-error", …
Status query_status(Client& qemu, Deadline d);
std::string query_uuid(Client& qemu, Deadline d);
void stop(Client& qemu, Deadline d);
void cont(Client& qemu, Deadline d);
void quit(Client& qemu, Deadline d); ///< an answer that never comes because QEMU is gone counts as success
void system_powerdown(Client& qemu, Deadline d);
void system_reset(Client& qemu, Deadline d);
std::string human_command(Client& qemu, const std::string& line, Deadline d);
std::string raw_command(Client& qemu, const std::string& json_text,
                        Deadline d); ///< a whole command object as the user typed it; the answer as JSON text

// Block graph
struct BlockNode {
    std::string node_name, driver, file;
    bool read_only = false;
    std::string backing_node; ///< "" = none
    uint64_t virtual_size = 0;
    std::vector<std::string> internal_snapshots; /* tags */
};
std::vector<BlockNode> query_named_block_nodes(Client& qemu, Deadline d);
/// The node that each device (by its qdev id or qom path) reads and writes: query-block. Empty node = no
/// medium.
std::map<std::string, std::string> query_device_nodes(Client& qemu, Deadline d);
void blockdev_add(Client& qemu, const Json& options, Deadline d);
/// Reopens a format node (with its present file and backing nodes) for writing or for reading only. Discard
/// falls back to its default: no query tells what it was.
void set_read_only(Client& qemu, const BlockNode& node, const std::string& file_node, bool read_only,
                   Deadline d);
/// Everything that the node was given so far is on disk, its image's tables too. (By the human monitor: QMP
/// has no command for it.)
void flush_node(Client& qemu, const std::string& node, Deadline d);
void blockdev_del(Client& qemu, const std::string& node, Deadline d);
struct TransactionAction {
    enum class Kind { overlay, internal } kind;
    std::string node;     ///< device's present node
    std::string argument; /* overlay: the overlay's node-name; internal: the snapshot's name */
};
/// All at one point in time: blockdev-snapshot / blockdev-snapshot-internal-sync. All or nothing in the
/// graph, not on disk: what a failed one leaves in files is the caller's to remove (qemu 7.2 and 10.0).
void transaction(Client& qemu, const std::vector<TransactionAction>& actions, Deadline d);

// Jobs
struct Job {
    std::string id, type, status, error;
    uint64_t done = 0, total = 0;
};
std::vector<Job> query_jobs(Client& qemu, Deadline d);
std::optional<Job> find_job(Client& qemu, const std::string& id, Deadline d);
void job_dismiss(Client& qemu, const std::string& id, Deadline d);
void job_cancel(Client& qemu, const std::string& id, Deadline d);
void job_complete(Client& qemu, const std::string& id, Deadline d);
void job_finalize(Client& qemu, const std::string& id, Deadline d);
/// snapshot-save/-load/-delete as jobs; returns at once. devices must name the vmstate node too (except
/// delete).
void snapshot_save(Client& qemu, const std::string& job, const std::string& tag,
                   const std::string& vmstate_node, const std::vector<std::string>& nodes, Deadline d);
void snapshot_load(Client& qemu, const std::string& job, const std::string& tag,
                   const std::string& vmstate_node, const std::vector<std::string>& nodes, Deadline d);
void snapshot_delete(Client& qemu, const std::string& job, const std::string& tag,
                     const std::vector<std::string>& nodes, Deadline d);
/// Merges. Each waits before it changes the graph ("pending"), where both files hold the content, until
/// finish_job lets it go on: the moment to write down what will be.
///
/// block-commit of top (a node in device_node's chain; top may be device_node itself = active commit) into
/// base. backing_file: what the header of the image above top shall say (empty: leave it to QEMU).
void block_commit(Client& qemu, const std::string& job, const std::string& device_node,
                  const std::string& top_node, const std::string& base_node, const std::string& backing_file,
                  Deadline d);
/// block-stream: node gets what lies above base_node (empty: all), with the new backing file's name in its
/// header.
void block_stream(Client& qemu, const std::string& job, const std::string& node, const std::string& base_node,
                  const std::string& backing_file, Deadline d);
/// Waits until a merge is pending: see there. A "ready" job gets job-complete; from then on the guest's
/// writes to that disk wait too. Otherwise as finish_job.
void await_pending(Client& qemu, const std::string& id,
                   const std::function<void(uint64_t, uint64_t)>& on_progress,
                   const std::function<bool()>& should_stop, Deadline d);
/// Waits until the job is concluded (auto-dismiss off), dismisses it, and throws refused_by_qemu with the
/// job's error if it failed, cancelled if it was cancelled. on_progress (done, total) about every 100 ms. A
/// "ready" job gets job-complete, one that is pending job-finalize. should_stop is asked as often; when true
/// the job is cancelled.
void finish_job(Client& qemu, const std::string& id,
                const std::function<void(uint64_t, uint64_t)>& on_progress,
                const std::function<bool()>& should_stop, Deadline d);

// Migration (taking and giving memory)
/// Sets the capabilities named to true and every other that QEMU knows to false.
void set_migration_capabilities(Client& qemu, const std::vector<std::string>& enabled, Deadline d);
void give_fd(Client& qemu, const std::string& name, int fd, Deadline d); ///< getfd
void migrate_to_fd(Client& qemu, const std::string& fd_name, Deadline d);
/// A QEMU whose postcopy migration lost its source takes another, which is returned: it is let listen at path
/// (which it sees as uri_path) and connected to. Out of band, since its main loop may wait for a page. Throws
/// refused_by_qemu also while QEMU has not noticed the loss yet.
os::Fd recover_incoming(Client& qemu, const std::string& path, const std::string& uri_path, Deadline d);
void migrate_incoming_fd(Client& qemu, const std::string& fd_name, Deadline d);
void set_migration_bandwidth_unlimited(Client& qemu, Deadline d);
struct Migration {
    std::string status, error;
    uint64_t transferred = 0, total = 0, remaining = 0, pages = 0;
}; ///< status "" = none yet
Migration query_migrate(Client& qemu, Deadline d);
/// Why this guest cannot be saved and restored at all, in QEMU's words; empty: nothing stands in the way.
std::vector<std::string> migration_blockers(Client& qemu, Deadline d);
/// The state of all devices, without RAM, into that file. The guest must stand still, and stays so; disks are
/// flushed once more. QEMU looks at no blocker here.
void save_device_state(Client& qemu, const std::string& path, Deadline d);
void migrate_cancel(Client& qemu, Deadline d);

// Devices
/// object: the device's QOM path ("/machine/peripheral/…"). The guest must stand still.
void set_drive(Client& qemu, const std::string& object, const std::string& node, Deadline d);
/// Where the guest's first byte of RAM lies in QEMU, which is where its main block begins. (By the human
/// monitor: QMP has no command for it.)
uint64_t ram_address(Client& qemu, Deadline d);
struct RamBlock {
    std::string name;
    uint64_t used = 0, most = 0; ///< bytes
    uint64_t address = 0;        ///< in QEMU; 0: it does not say (before 8.1)
};
/// All blocks of RAM, the firmware's and the screens' too. (By the human monitor.)
std::vector<RamBlock> query_ram_blocks(Client& qemu, Deadline d);
struct Chardev {
    std::string label, filename;
};
std::vector<Chardev> query_chardev(Client& qemu, Deadline d); ///< filename "pty:/dev/pts/3" …
struct Vnc {
    bool enabled = false;
    std::string host, service, family;
};
Vnc query_vnc(Client& qemu, Deadline d);
struct CpuModel {
    std::string name;
    std::map<std::string, bool> props;
};

/// {"execute":"screendump"} into a file that QEMU makes (format png where QEMU can).
void screendump(Client& qemu, const std::string& path, bool png, Deadline d);
void send_key(Client& qemu, const std::vector<std::string>& qcodes, int hold_ms, Deadline d);

} // namespace domsnap::qmp
